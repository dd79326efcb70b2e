// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the http run plugin: the agent is a service that is sent the input as JSON.
 */
export interface Options {
  /**
   * Where the agent listens: an http or https URL without credentials. Redirects are not followed. What is not public must be named by `outbound.allow` of gateway.yaml.
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
   * JSONata over the input that gives the body of the request. Absent: the input as it is. It may also read $run (id, project, trigger, sessionId, attempt).
   */
  request?: string;
  /**
   * JSONata over the agent's answer that gives the output. Absent: the answer as it is. It may also read $input (the input), $run and $response (status, headers).
   */
  output?: string;
  /**
   * Signs each request as Standard Webhooks says (https://www.standardwebhooks.com): headers webhook-id, the same in all attempts of a run, webhook-timestamp and webhook-signature.
   */
  sign?: {
    /**
     * What the agent knows too: `whsec_` and base64, or any text. With more than one, each signs, so that one can be replaced by another without a pause.
     *
     * @minItems 1
     */
    secrets: [string, ...string[]];
  };
  /**
   * What becomes of a run whose agent answers 202, since it works on by itself: the agent calls back, or is polled. Absent: 202 is an answer as any other.
   */
  detached?: {
    /**
     * How long the agent may work on. The trigger's `run.timeout` ends it too. In milliseconds.
     */
    timeout: number;
    /**
     * Sends a signed address along in the header pullcord-completion-url. The agent POSTs its answer there, as it would have given it at once.
     */
    completion?: {
      /**
       * Where the agent reaches this gateway's public listener: an http or https URL without a path.
       */
      gateway: string;
      /**
       * The first signs addresses, all are taken.
       *
       * @minItems 1
       */
      secrets: [string, ...string[]];
    };
    /**
     * Asks the address that the `Location` header of the 202 names, of the agent's own origin, until it answers something else than 202. A run that is cancelled sends it a DELETE.
     */
    poll?: {
      /**
       * How long to wait before each question, where the agent's `Retry-After` says nothing. In milliseconds.
       */
      interval: number;
    };
  };
  /**
   * How long one request may take, from the wait for a free connection to the last byte of the answer. In milliseconds.
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
