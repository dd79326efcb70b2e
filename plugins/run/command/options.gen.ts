// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the command run plugin: the agent is a program that reads the input as JSON on stdin and writes its answer on stdout.
 */
export interface Options {
  /**
   * The program and its arguments, one item each; there is no shell. A program with a slash is relative to the folder of this file, one without is looked up on PATH.
   *
   * @minItems 1
   */
  argv: [string, ...string[]];
  /**
   * The program's working directory, relative to the folder of this file. Default: that folder.
   */
  cwd?: string;
  /**
   * Environment variables of the program, each a string or a secret. It has these, PATH, HOME, LANG, TZ and TMPDIR of the gateway, PULLCORD_RUN_ID, PULLCORD_PROJECT, PULLCORD_TRIGGER, PULLCORD_CALLER, PULLCORD_ATTEMPT, and with a sessionId PULLCORD_CONVERSATION, and no others.
   */
  env: {
    /**
     * The variable's value.
     */
    [k: string]: string;
  };
  /**
   * The format of stdout: json, or text, without one final line ending. auto is JSON if it parses as such, else text.
   */
  output: 'json' | 'text' | 'auto';
  /**
   * JSONata over what stdout holds that returns the tokens it used, as providers report them, or as { inputTokens, outputTokens, model, cachedTokens, reasoningTokens }: what limits of tokens and cost count. Default: none are reported. It may also read $input, $run and $stderr (its last 4 KiB), and is evaluated for failures too.
   */
  usage?: string;
  /**
   * Streams what the program writes on stdout while it runs, for `respond: stream` and `wait` with `stream`. Needs `output: text`.
   */
  stream: boolean;
  /**
   * Deadline of one attempt; then the program gets SIGTERM. The trigger's `run.timeout` overrides it. In milliseconds.
   */
  timeout: number;
  /**
   * The largest accepted stdout; more fails the run. In bytes.
   */
  maxOutput: number;
  /**
   * Grace period between SIGTERM and SIGKILL. In milliseconds.
   */
  killGrace: number;
}
