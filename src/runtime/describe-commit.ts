import { makePrintable } from '../diagnostics/printable.ts';
import { git } from './git-state.ts';

/** Longer texts are cut: anybody may commit anything. */
const longest = 200;

/** Who made a commit, and the first line of its message; undefined where git does not know it. */
export async function describeCommit(
  folder: string,
  commit: string,
): Promise<{ readonly author: string; readonly subject: string } | undefined> {
  try {
    const printed = await git(folder, 'log', '-1', '--format=%an%n%s', '--end-of-options', commit, '--');
    const [author = '', subject = ''] = printed.split('\n');
    return { author: shown(author), subject: shown(subject) };
  } catch {
    return undefined;
  }
}

function shown(text: string): string {
  return makePrintable(text).replaceAll('\t', ' ').slice(0, longest).toWellFormed();
}
