// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the http run plugin: the agent is a service that receives the input as JSON.
 */
export interface Options {
  /**
   * URL of the agent: http or https, without credentials. Redirects are not followed. Private addresses must be listed in `outbound.allow` of gateway.yaml.
   */
  url: string;
  /**
   * The HTTP method.
   */
  method: 'POST' | 'PUT';
  /**
   * Headers of every request, each a string or a secret. Headers that frame the message or name the run cannot be set.
   */
  headers: {
    /**
     * The header's value.
     */
    [k: string]: string;
  };
  /**
   * JSONata over the input that returns the body of the request. Default: the input unchanged. It may also read $request, $caller and $event (see run.bindings), and $run (id, project, trigger, caller, sessionId, conversation, attempt).
   */
  request?: string;
  /**
   * JSONata over the agent's answer that returns the output. Default: the answer unchanged. It may also read $input (the input), $run and $response (status, headers).
   */
  output?: string;
  /**
   * JSONata over the agent's answer that returns the tokens it used, as providers report them, or as { inputTokens, outputTokens, model, cachedTokens, reasoningTokens }: what limits of tokens and cost count. Default: none are reported. It may also read $input, $run and $response (status, headers), and is evaluated for errors too, whose body is null unless it is JSON of at most 64 KiB.
   */
  usage?: string;
  /**
   * Signs each request as Standard Webhooks specifies (https://www.standardwebhooks.com): headers webhook-id, the same in all attempts of a run, webhook-timestamp and webhook-signature.
   */
  sign?: {
    /**
     * The secrets shared with the agent: `whsec_` and base64, or any text. Each of them signs, which allows rotation without downtime.
     *
     * @minItems 1
     */
    secrets: [string, ...string[]];
  };
  /**
   * How a run ends whose agent answers 202 and continues by itself: the agent posts a completion, or is polled. Default: 202 is an answer like any other.
   */
  detached?: {
    /**
     * Deadline of one attempt, from the first request to the end of the detached work. The trigger's `run.timeout` overrides it. In milliseconds.
     */
    timeout: number;
    /**
     * Sends a signed URL in the header pullcord-completion-url. The agent POSTs its answer there, in the same form as an immediate answer.
     */
    completion?: {
      /**
       * Where the agent reaches this gateway's public listener: an http or https URL without a path, since the gateway knows its own.
       */
      gateway: string;
      /**
       * The first signs URLs, all are accepted.
       *
       * @minItems 1
       */
      secrets: [string, ...string[]];
    };
    /**
     * Polls the URL in the `Location` header of the 202, of the agent's own origin, until it answers something other than 202. A run that is cancelled or out of time sends it a DELETE.
     */
    poll?: {
      /**
       * The polling interval, unless the agent sends `Retry-After`. In milliseconds.
       */
      interval: number;
    };
  };
  /**
   * Deadline of one attempt, from the wait for a free connection to the last byte of the answer. The trigger's `run.timeout` overrides it. With `detached`: deadline of each request. In milliseconds.
   */
  timeout: number;
  /**
   * The largest accepted answer; a longer one fails the run. In bytes.
   */
  maxResponse: number;
  /**
   * The largest number of open connections to the agent; further runs wait for a free one.
   */
  connections: number;
}
