// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the openai run plugin: a language model behind an API compatible with OpenAI's.
 */
export interface Options {
  /**
   * Base URL of the API, without the path of chat or responses: http or https, without credentials. Redirects are not followed.
   */
  baseUrl: string;
  /**
   * `chat` sends POST {baseUrl}/chat/completions, with a transcript that the gateway keeps; `responses` sends POST {baseUrl}/responses, where the endpoint keeps the conversation.
   */
  api: 'chat' | 'responses';
  /**
   * The model, as the endpoint names it.
   */
  model: string;
  /**
   * Sent as `Authorization: Bearer …`. Without it no credential is sent, unless `headers` has one.
   */
  apiKey?: string;
  /**
   * Headers of every request, each a string or a secret.
   */
  headers: {
    /**
     * The header's value.
     */
    [k: string]: string;
  };
  /**
   * The system prompt, a template: `{{ expression }}` is replaced by the value of a JSONata expression over the body. Rendered again for each request of a conversation.
   */
  system?: string;
  /**
   * The user's message, a template like `system`. Default: `instruction`, a string as it is and anything else as JSON; without one, the body as JSON.
   */
  user?: string;
  /**
   * Other members of the request, by the endpoint's names, e.g. temperature, reasoning_effort or max_completion_tokens. Members that the gateway sets are rejected.
   */
  parameters: {
    [k: string]: unknown;
  };
  /**
   * Whether the answer is streamed. Not with `output` and `background`: those take a whole answer.
   */
  stream: boolean;
  /**
   * Whether `stream_options.include_usage` is sent with a streamed chat, so that token counts are reported. Set it to false for endpoints that reject it.
   */
  includeUsage: boolean;
  /**
   * How much of a conversation the gateway keeps and sends with `api: chat`: its latest turns, each whole, within both limits.
   */
  history: {
    /**
     * How many earlier turns, each a request and its answer. With 0 there is no history.
     */
    turns: number;
    /**
     * How many characters of text in total, in UTF-16 units.
     */
    characters: number;
  };
  /**
   * Whether the endpoint works detached and is polled, so that neither a lost connection nor a restart of the gateway loses the work. With `api: responses` only.
   */
  background: boolean;
  /**
   * `text`: the output is the text. `json`: the model is made to answer with JSON, and the output is the parsed value.
   */
  format: 'text' | 'json';
  /**
   * JSON Schema of the answer, with `format: json`. Sent as strict; endpoints support a subset of JSON Schema there.
   */
  schema?: {
    [k: string]: unknown;
  };
  /**
   * JSONata expression over the whole answer of the endpoint that returns the output. `$text` is the text in it, `$json` that text parsed, with `format: json`. Default: the one or the other; a run whose answer has no text fails.
   */
  output?: string;
  /**
   * Deadline of one attempt where `run.timeout` is not set, from the wait for a free connection to the end of the answer, also of one in the background. In milliseconds.
   */
  timeout: number;
  /**
   * The largest accepted answer in bytes on the wire: a stream takes about a hundred bytes for each word. A longer one fails the run. In bytes.
   */
  maxResponse: number;
  /**
   * The largest number of open connections to the endpoint; further runs wait for a free one.
   */
  connections: number;
}
