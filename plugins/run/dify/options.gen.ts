// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the dify run plugin: the agent is an app of Dify, called by its service API.
 */
export interface Options {
  /**
   * The service API of Dify, as its page "API Access" shows it: an http or https URL without credentials. Redirects are not followed.
   */
  url: string;
  /**
   * The API key of the app. It also determines which app is called.
   */
  apiKey: string;
  /**
   * The kind of app: chat for a chatbot, an agent or a chatflow, workflow for a workflow.
   */
  app: 'chat' | 'workflow';
  /**
   * What a chat app is asked: a text in which {{ }} holds JSONata over the body. Absent: the instruction, as JSON if it is not a string; without one, the body as JSON.
   */
  query?: string;
  /**
   * The variables of the app: JSONata over the body that returns an object. Absent: none for a chat app, the whole body for a workflow.
   */
  inputs?: string;
  /**
   * The user of Dify to whom conversations belong: a text in which {{ }} holds JSONata over the body. Absent or empty: a UUID of the conversation, and without a sessionId the project and the trigger.
   */
  user?: string;
  /**
   * JSONata that returns the output, over the last event: message_end with the whole text as answer, or workflow_finished. Absent: the text of a chat app, without which the run fails, or the outputs of a workflow.
   */
  output?: string;
  /**
   * Deadline of one attempt, from the wait for a free connection to the end of the answer. The trigger's `run.timeout` overrides it. In milliseconds.
   */
  timeout: number;
  /**
   * The largest answer of Dify to one run, with all events; a larger one fails the run. In bytes.
   */
  maxResponse: number;
  /**
   * How many connections to Dify runs may have open at once; further runs wait for a free one. Requests to stop an app have connections of their own.
   */
  connections: number;
}
