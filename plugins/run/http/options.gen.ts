// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the http run plugin: the agent is a service that is sent the input as JSON.
 */
export interface Options {
  /**
   * Where the agent listens: an http or https URL without credentials. Redirects are not followed.
   */
  url: string;
  /**
   * The HTTP method.
   */
  method: 'POST' | 'PUT';
  /**
   * Headers that are sent with every request, each a text or a secret. Those that frame the message or name the run are the gateway's own.
   */
  headers: {
    /**
     * The header's value.
     */
    [k: string]: string;
  };
  /**
   * How long one attempt may take, from the wait for a free connection to the last byte of the answer. In milliseconds.
   */
  timeout: number;
  /**
   * The largest answer that is taken; a longer one fails the run. In bytes.
   */
  maxResponse: number;
  /**
   * How many connections to the agent may be open at once; further runs wait for a free one.
   */
  connections: number;
}
