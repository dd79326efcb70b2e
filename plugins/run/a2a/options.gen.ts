// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the a2a run plugin: the agent is a service that speaks Agent2Agent, version 1.0 or 0.3, over JSON-RPC.
 */
export interface Options {
  /**
   * Where the agent is, or its agent card if it ends in .json: an http or https URL without credentials. Redirects are not followed. What is not public must be named by `outbound.allow` of gateway.yaml.
   */
  url: string;
  /**
   * Where the agent card is, with a query if it needs one, seen from `url`. Without it: .well-known/agent-card.json below `url`.
   */
  card?: string;
  /**
   * Where the agent takes messages, if that is not where its card says. What a card says is heeded only if it has the origin of `url`.
   */
  endpoint?: string;
  /**
   * Headers that are sent with every request, also the one for the agent card, each a text or a secret. Those that frame the message are the gateway's own.
   */
  headers: {
    /**
     * The header's value.
     */
    [k: string]: string;
  };
  /**
   * The text of the message, in which `{{ expression }}` stands for what a JSONata expression over the body comes to. Without it: `instruction`, if that is a text.
   */
  message?: string;
  /**
   * Whether the whole body goes along as a data part. It does in any case where there is no text to send.
   */
  data: boolean;
  /**
   * JSONata expression that makes the output of the task or message that the agent answered with, as JSON of A2A 1.0 whatever the agent speaks. Without it: the text of the artifacts, or else of the agent's message, data parts as JSON.
   */
  output?: string;
  /**
   * Whether an agent whose card says that it can streams its answer. Otherwise its task is asked after now and then.
   */
  stream: boolean;
  /**
   * How long one attempt may take, from the agent card to the end of the task, also over restarts of the gateway. Then the task is cancelled. In milliseconds.
   */
  timeout: number;
  /**
   * The largest answer that is taken; a longer one fails the run. A stream that grows longer is left, and the task is asked after instead. In bytes.
   */
  maxResponse: number;
  /**
   * How many connections to the agent may be open at once; further requests wait for a free one. Agent cards and cancellations do not wait: they have two of their own.
   */
  connections: number;
}
