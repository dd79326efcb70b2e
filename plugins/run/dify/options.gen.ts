// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the dify run plugin: the agent is an app of Dify, called by its service API.
 */
export interface Options {
  /**
   * URL of Dify's service API, as on its page "API Access": http or https, without credentials. Redirects are not followed.
   */
  url: string;
  /**
   * The API key of the app. It also determines which app is called.
   */
  apiKey: string;
  /**
   * The type of the app: chat for a chatbot, an agent or a chatflow, workflow for a workflow.
   */
  app: 'chat' | 'workflow';
  /**
   * The question for a chat app: a template, in which {{ }} encloses JSONata over the body. Default: the instruction.
   */
  query?: string;
  /**
   * The variables of the app: JSONata over the body that returns an object. Default: none for a chat app, the whole body for a workflow.
   */
  inputs?: string;
  /**
   * Dify's end user, who owns the conversations: a template, in which {{ }} encloses JSONata over the body. Default, also for an empty result: the sessionId, and without one the project and the trigger.
   */
  user?: string;
  /**
   * The output: JSONata over the last event, message_end with the whole text as answer, or workflow_finished. Default: the text of a chat app, the outputs of a workflow.
   */
  output?: string;
  /**
   * Deadline of one attempt, from the wait for a free connection to the end of the answer. In milliseconds.
   */
  timeout: number;
  /**
   * The largest accepted answer to one run, all events together; more fails the run. In bytes.
   */
  maxResponse: number;
  /**
   * The largest number of open connections to Dify; further runs wait for a free one. Stopping an app uses connections of its own.
   */
  connections: number;
}
