/** What follows the options in the help of a command, also on its page of the reference. */
export interface HelpText {
  /** Command lines that work as they stand. */
  readonly examples?: readonly string[];
  /** Environment variables that no option names, with their meaning. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The meaning of the exit codes. Wrong usage (2) and an internal error (70) are the same everywhere. */
  readonly exitCodes: Readonly<Record<number, string>>;
}

/** The text for `addHelpText`: titled sections of indented lines, which docs/generator/ reads again. */
export function helpText({ examples = [], environment = {}, exitCodes }: HelpText): string {
  return [
    section('Examples', examples),
    section('Environment', pairs(environment)),
    section('Exit codes', pairs(exitCodes)),
  ]
    .join('')
    .trimEnd();
}

function section(title: string, lines: readonly string[]): string {
  return lines.length === 0 ? '' : `\n${title}:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}

function pairs(meanings: Readonly<Record<string, string>>): readonly string[] {
  const width = Math.max(0, ...Object.keys(meanings).map((name) => name.length));
  return Object.entries(meanings).map(([name, meaning]) => `${name.padEnd(width)}  ${meaning}`);
}

/** Read by all commands that may contact a running gateway. */
export const adminTokenMeaning = 'the token of the admin listener that a URL names';
