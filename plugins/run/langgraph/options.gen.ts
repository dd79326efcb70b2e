// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the langgraph run plugin: the agent is a graph on a LangGraph server.
 */
export interface Options {
  /**
   * Where the server is, without what follows for threads or runs: an http or https URL without credentials. Redirects are not followed.
   */
  url: string;
  /**
   * The id of an assistant, or the name of a graph for its default assistant.
   */
  assistant: string;
  /**
   * Sent as `x-api-key`. Without it no credential is sent, unless `headers` has one.
   */
  apiKey?: string;
  /**
   * Headers that are sent with every request, each a text or a secret. Graphs can read those that a server is set up to pass on.
   */
  headers: {
    /**
     * The header's value.
     */
    [k: string]: string;
  };
  /**
   * JSONata over the body that makes the input of the graph. Without it: one message of the user, whose content is `instruction`, if that is a text, else the whole body as JSON.
   */
  input?: string;
  /**
   * JSONata over the body that makes the answer to an interrupt: what `interrupt()` returns in the graph. `$interrupts` holds the ids of those that are pending. Without it: `instruction`, else the whole body.
   */
  resume?: string;
  /**
   * The configuration of the run, e.g. recursion_limit, tags or configurable: an object, or JSONata over the body that makes one.
   */
  config?:
    | {
        [k: string]: unknown;
      }
    | string;
  /**
   * The static context of the run, which nodes read as their runtime's: an object, or JSONata over the body that makes one.
   */
  context?:
    | {
        [k: string]: unknown;
      }
    | string;
  /**
   * JSONata over the final state of the graph that makes the output. Without it: the text of the last AI message, or the whole state if there is none.
   */
  output?: string;
  /**
   * Whether the tokens of AI messages are asked for, and told, as they come. Without it nothing is told before the end.
   */
  stream: boolean;
  /**
   * How long one attempt may take, from the wait for a free connection to the end of the graph. Then the run is cancelled on the server too. In milliseconds.
   */
  timeout: number;
  /**
   * The largest answer that is taken. A stream holds the state once for each step of the graph. A longer one fails the run. In bytes.
   */
  maxResponse: number;
  /**
   * How many connections to the server may be open at once; further runs wait for a free one. Cancellations do not wait: they have two of their own.
   */
  connections: number;
}
