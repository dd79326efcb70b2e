// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the a2a run plugin: the agent is a service that speaks Agent2Agent, version 1.0 or 0.3, over JSON-RPC.
 */
export interface Options {
  /**
   * URL of the agent, or of its agent card if it ends in .json: http or https, without credentials. Redirects are not followed. Private addresses must be listed in `outbound.allow` of gateway.yaml.
   */
  url: string;
  /**
   * URL of the agent card, with a query if it needs one, relative to `url`. Default: .well-known/agent-card.json below `url`.
   */
  card?: string;
  /**
   * URL to which messages are sent, if it is not the one in the agent card. A URL in a card is used only if it has the origin of `url`.
   */
  endpoint?: string;
  /**
   * Headers of every request, also of the one for the agent card, each a string or a secret. Headers that frame the message cannot be set.
   */
  headers: {
    /**
     * The header's value.
     */
    [k: string]: string;
  };
  /**
   * The text of the message, a template: `{{ expression }}` is replaced by the value of a JSONata expression over the body. Default: `instruction`, if that is a string.
   */
  message?: string;
  /**
   * Whether the whole body is sent along as a data part. It always is where there is no text to send.
   */
  data: boolean;
  /**
   * JSONata expression over the task or message of the agent that returns the output. Its input is JSON of A2A 1.0 for either version. Default: the text of the artifacts, or else of the agent's message, data parts as JSON; files as they are if there is nothing else.
   */
  output?: string;
  /**
   * JSONata over the task or message of the agent that returns the tokens it used, as providers report them, or as { inputTokens, outputTokens, model, cachedTokens, reasoningTokens }: what limits of tokens and cost count. Default: none are reported. It may also read $input and $run, and is evaluated for tasks that fail too.
   */
  usage?: string;
  /**
   * Whether the answer is streamed if the agent card says that the agent can. Otherwise its task is polled.
   */
  stream: boolean;
  /**
   * How long one attempt may take where the trigger's `run.timeout` does not say: from the agent card to the end of the task, also over restarts of the gateway. Then the task is cancelled. In milliseconds.
   */
  timeout: number;
  /**
   * The largest accepted answer; a longer one fails the run. A stream that grows longer is closed, and the task is polled instead. In bytes.
   */
  maxResponse: number;
  /**
   * The largest number of open connections to the agent; further requests wait for a free one. Agent cards and cancellations have connections of their own.
   */
  connections: number;
}
