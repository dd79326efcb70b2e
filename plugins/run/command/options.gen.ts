// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the command run plugin: the agent is a program that reads the input as JSON on stdin and writes its answer on stdout.
 */
export interface Options {
  /**
   * The program and its arguments, one item each; there is no shell. A program with a slash starts at the folder of this file, one without is looked up on PATH.
   *
   * @minItems 1
   */
  argv: [string, ...string[]];
  /**
   * The folder that the program works in, relative to the folder of this file. Absent: that folder.
   */
  cwd?: string;
  /**
   * Environment variables of the program, each a text or a secret. It has these, PATH, HOME, LANG, TZ and TMPDIR of the gateway, PULLCORD_RUN_ID, PULLCORD_PROJECT, PULLCORD_TRIGGER and PULLCORD_ATTEMPT, and no others.
   */
  env: {
    /**
     * The variable's value.
     */
    [k: string]: string;
  };
  /**
   * What stdout holds: json, or text, of which one line ending at the end is dropped. auto is JSON if it parses as such, else text.
   */
  output: 'json' | 'text' | 'auto';
  /**
   * How long one attempt may take before the program is told to end. In milliseconds.
   */
  timeout: number;
  /**
   * The most that the program may write on stdout; more fails the run. In bytes.
   */
  maxOutput: number;
  /**
   * How long the program may take to end after SIGTERM, before SIGKILL. In milliseconds.
   */
  killGrace: number;
}
