import type { Command } from 'commander';

/** The titled sections that follow the options in the help of a command: what src/cli/help-text.ts makes. */
export function helpSections(command: Command): ReadonlyMap<string, readonly string[]> {
  const sections = new Map<string, string[]>();
  let lines: string[] | undefined;
  for (const line of textAfterOptions(command).split('\n')) {
    const title = /^(\S.*):$/.exec(line)?.[1];
    if (title !== undefined) {
      lines = [];
      sections.set(title, lines);
    } else if (line.trim() !== '') lines?.push(line.trim());
  }
  return sections;
}

/** A section of names and their meanings. */
export function pairsOf(lines: readonly string[] = []): readonly (readonly [name: string, meaning: string])[] {
  return lines.map((line) => {
    const [name = '', ...words] = line.split(/ {2,}/);
    return [name, words.join(' ')];
  });
}

/** Help is written piece by piece, what `addHelpText` added last: so the width of a terminal changes nothing here. */
function textAfterOptions(command: Command): string {
  const pieces: string[] = [];
  command.configureOutput({ writeOut: (piece) => pieces.push(piece) }).outputHelp();
  return pieces.slice(pieces.indexOf(command.helpInformation()) + 1).join('');
}
