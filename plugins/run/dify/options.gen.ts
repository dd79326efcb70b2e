// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the dify run plugin: the agent is an app of Dify, called by its service API.
 */
export interface Options {
  /**
   * The service API of Dify, as its page "API Access" tells it: an http or https URL without credentials. Redirects are not followed.
   */
  url: string;
  /**
   * The API key of the app. It also says which app is called.
   */
  apiKey: string;
  /**
   * What sort of app it is: chat for a chatbot, an agent or a chatflow, workflow for a workflow.
   */
  app: 'chat' | 'workflow';
  /**
   * What a chat app is asked: a text, in which {{ }} stands for JSONata over the body. Absent: the instruction.
   */
  query?: string;
  /**
   * The variables of the app: JSONata over the body that gives an object. Absent: none for a chat app, the whole body for a workflow.
   */
  inputs?: string;
  /**
   * Whom Dify takes for the user, to whom conversations belong: a text, in which {{ }} stands for JSONata over the body. Where it is absent or comes to nothing: the sessionId, and without one the project and the trigger.
   */
  user?: string;
  /**
   * What becomes the output: JSONata over the last event, message_end with the whole text as answer, or workflow_finished. Absent: the text of a chat app, the outputs of a workflow.
   */
  output?: string;
  /**
   * How long one attempt may take, from the wait for a free connection to the end of the answer. In milliseconds.
   */
  timeout: number;
  /**
   * The most that Dify may send in answer to one run, with all events; more fails the run. In bytes.
   */
  maxResponse: number;
  /**
   * How many connections to Dify runs may have open at once; further runs wait for a free one. Stopping an app has its own.
   */
  connections: number;
}
