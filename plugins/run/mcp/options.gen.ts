// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the mcp run plugin: the agent is one tool of an MCP server, which is reached by HTTP (url) or is a program (argv).
 */
export interface Options {
  /**
   * URL of the server (streamable HTTP): http or https, without credentials. Redirects are not followed. Either this or argv.
   */
  url?: string;
  /**
   * Headers of every request to url, each a string or a secret. Headers that frame the message or belong to MCP cannot be set.
   */
  headers: {
    /**
     * The header's value.
     */
    [k: string]: string;
  };
  /**
   * The server as a program (stdio) and its arguments, one item each; there is no shell. A program with a slash is relative to the folder of this file, one without is looked up on PATH. The first call starts it, and it serves until the trigger changes or the gateway stops.
   */
  argv?: string[];
  /**
   * The program's working directory, relative to the folder of this file. Default: that folder.
   */
  cwd?: string;
  /**
   * Environment variables of the program, each a string or a secret. It has these, PATH, HOME, LANG, TZ and TMPDIR of the gateway, and no others.
   */
  env: {
    /**
     * The variable's value.
     */
    [k: string]: string;
  };
  /**
   * The name of the tool.
   */
  tool: string;
  /**
   * The arguments of the tool: JSONata over the body that returns an object. Default: the body without environment, language and sessionId.
   */
  arguments?: string;
  /**
   * The output: JSONata over the result of the tool (content, structuredContent); $json is its parsed text, if it has one text and that is JSON. Default: structuredContent if there is any, else the text of content, else content itself.
   */
  output?: string;
  /**
   * JSONata over the result of the tool (content, structuredContent, _meta) that returns the tokens it used, as providers report them, or as { inputTokens, outputTokens, model, cachedTokens, reasoningTokens }: what limits of tokens and cost count. Default: none are reported. It may also read $input, $run and $json (see output), and is evaluated for errors too.
   */
  usage?: string;
  /**
   * How long one attempt may take where the trigger's `run.timeout` does not say, including the start of the server and the wait for a free connection. In milliseconds.
   */
  timeout: number;
  /**
   * The largest accepted message of the server; a longer one fails the run. A program that writes more than that within a minute, answers excluded, is ended. In bytes.
   */
  maxResponse: number;
  /**
   * Grace period between closing the program's stdin and SIGTERM, and again between SIGTERM and SIGKILL. In milliseconds.
   */
  killGrace: number;
  /**
   * The largest number of concurrent calls, over HTTP each on its own connection; further runs wait.
   */
  connections: number;
}
