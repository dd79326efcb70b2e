// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the langgraph run plugin: the agent is a graph on a LangGraph server.
 */
export interface Options {
  /**
   * Base URL of the server, without the path of threads or runs: http or https, without credentials. Redirects are not followed.
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
   * Headers of every request, each a string or a secret. Graphs can read those that the server is configured to forward.
   */
  headers: {
    /**
     * The header's value.
     */
    [k: string]: string;
  };
  /**
   * JSONata over the body that returns the input of the graph. Default: one message of the user, whose content is `instruction`, a string as it is and anything else as JSON; without one, the body as JSON.
   */
  input?: string;
  /**
   * JSONata over the body that returns the answer to an interrupt: what `interrupt()` returns in the graph. `$interrupts` contains the ids of the pending ones. Default: `instruction`, else the whole body.
   */
  resume?: string;
  /**
   * The configuration of the run, e.g. recursion_limit, tags or configurable: an object, or JSONata over the body that returns one.
   */
  config?:
    | {
        [k: string]: unknown;
      }
    | string;
  /**
   * The static context of the run, which nodes read as their runtime's: an object, or JSONata over the body that returns one.
   */
  context?:
    | {
        [k: string]: unknown;
      }
    | string;
  /**
   * JSONata over the final state of the graph that returns the output. Default: the text of the last AI message, or the whole state if there is none or it says nothing.
   */
  output?: string;
  /**
   * Whether AI messages are streamed while they are produced. Without it nothing is streamed before the end.
   */
  stream: boolean;
  /**
   * Deadline of one attempt where `run.timeout` is not set, from the wait for a free connection to the end of the graph. Then the run is cancelled on the server too. In milliseconds.
   */
  timeout: number;
  /**
   * The largest accepted answer; a longer one fails the run. A stream contains the state once for each step of the graph. In bytes.
   */
  maxResponse: number;
  /**
   * The largest number of open connections to the server; further runs wait for a free one. Cancellations do not wait: they have connections of their own.
   */
  connections: number;
}
