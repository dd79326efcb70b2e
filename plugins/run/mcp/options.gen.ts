// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the mcp run plugin: the agent is one tool of an MCP server, which is reached by HTTP (url) or is a program (argv).
 */
export interface Options {
  /**
   * Where the server listens (streamable HTTP): an http or https URL without credentials. Redirects are not followed. Either this or argv.
   */
  url?: string;
  /**
   * Headers that are sent to url with every request, each a text or a secret. Those that frame the message or belong to MCP are the gateway's own.
   */
  headers: {
    /**
     * The header's value.
     */
    [k: string]: string;
  };
  /**
   * The server as a program and its arguments, one item each; there is no shell. A program with a slash starts at the folder of this file, one without is looked up on PATH. It is started by the first call, and serves until the trigger changes or the gateway stops.
   */
  argv?: string[];
  /**
   * The folder that the program works in, relative to the folder of this file. Absent: that folder.
   */
  cwd?: string;
  /**
   * Environment variables of the program, each a text or a secret. It has these, PATH, HOME, LANG, TZ and TMPDIR of the gateway, and no others.
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
   * The arguments of the tool: JSONata over the body that gives an object. Absent: the body without environment, language and sessionId.
   */
  arguments?: string;
  /**
   * What becomes the output: JSONata over the result of the tool (content, structuredContent); $json is what its text holds, if it has one text and that is JSON. Absent: structuredContent if there is any, else the text of content.
   */
  output?: string;
  /**
   * How long one attempt may take, with the start of the server and the wait for a free connection. In milliseconds.
   */
  timeout: number;
  /**
   * The largest message that is taken from the server; a longer one fails the run. A program that writes more than that within a minute beside its answers is ended. In bytes.
   */
  maxResponse: number;
  /**
   * How long the program may take to end once its stdin is closed, and again after SIGTERM, before SIGKILL. In milliseconds.
   */
  killGrace: number;
  /**
   * How many calls may be under way at once, by HTTP each on a connection of its own; further runs wait.
   */
  connections: number;
}
