// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the openai run plugin: a language model behind an API that OpenAI's client speaks, wherever it is served.
 */
export interface Options {
  /**
   * Where the API is, without what follows for chat or responses: an http or https URL without credentials. Redirects are not followed.
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
   * Headers that are sent with every request, each a text or a secret.
   */
  headers: {
    /**
     * The header's value.
     */
    [k: string]: string;
  };
  /**
   * The system prompt, in which `{{ expression }}` stands for what a JSONata expression over the body comes to. Written anew for each request of a conversation.
   */
  system?: string;
  /**
   * What the user says, a template as `system`. Without it: `instruction`, if that is a text, else the whole body as JSON.
   */
  user?: string;
  /**
   * What else the request holds, as the endpoint names it, e.g. temperature, reasoning_effort or max_completion_tokens. Not what the gateway sets by itself.
   */
  parameters: {
    [k: string]: unknown;
  };
  /**
   * Whether the answer is asked for, and told, piece by piece. Not with `output` and `background`: those take a whole answer.
   */
  stream: boolean;
  /**
   * Whether `stream_options.include_usage` is sent with a streamed chat, so that tokens are told. For endpoints that refuse it: false.
   */
  includeUsage: boolean;
  /**
   * How much of a conversation the gateway keeps and sends with `api: chat`: its latest turns, each whole, within both bounds.
   */
  history: {
    /**
     * How many earlier turns, each a request and its answer. With 0 every request stands alone.
     */
    turns: number;
    /**
     * How many characters of text they hold together, in UTF-16 units.
     */
    characters: number;
  };
  /**
   * Whether the endpoint works on by itself and is asked now and then, so that neither a cut connection nor a restart of the gateway loses the work. With `api: responses` only.
   */
  background: boolean;
  /**
   * `text`: the output is the text. `json`: the model is made to answer with JSON, and the output is that, parsed.
   */
  format: 'text' | 'json';
  /**
   * JSON Schema that the endpoint is to hold the answer to, with `format: json`. Sent as a strict one, of which endpoints take a part of JSON Schema only.
   */
  schema?: {
    [k: string]: unknown;
  };
  /**
   * JSONata expression that makes the output of what the endpoint answered as a whole. `$text` is the text in it, `$json` that text parsed, with `format: json`. Without it the output is the one or the other.
   */
  output?: string;
  /**
   * How long one attempt may take, from the wait for a free connection to the end of the answer, also of one in the background. In milliseconds.
   */
  timeout: number;
  /**
   * The largest answer that is taken, as it is sent: a stream takes some hundred bytes for each word. A longer one fails the run. In bytes.
   */
  maxResponse: number;
  /**
   * How many connections to the endpoint may be open at once; further runs wait for a free one.
   */
  connections: number;
}
