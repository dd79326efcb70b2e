import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { gitEnvironment } from '../runtime/git-environment.ts';
import type { StatusBehind } from '../runtime/status/status-document.gen.ts';

const run = promisify(execFile);
/** Milliseconds. */
const timeoutMs = 3000;

/** How many commits the one that serves is behind, in the work tree of a config folder. Null: it is in none that has that commit. */
export async function commitsBehind(folder: string, commit: string | null): Promise<StatusBehind | null> {
  // It comes from a gateway: nothing else may be passed to git.
  if (commit === null || !/^[0-9a-f]{40,64}$/.test(commit)) return null;
  const head = await countOf(folder, `${commit}..HEAD`);
  if (head === undefined) return null;
  const upstream = await countOf(folder, `${commit}..@{upstream}`);
  return { head, upstream: upstream ?? null };
}

async function countOf(folder: string, range: string): Promise<number | undefined> {
  try {
    const args = ['-C', folder, 'rev-list', '--count', range, '--'];
    const { stdout } = await run('git', args, { timeout: timeoutMs, env: gitEnvironment() });
    return Number(stdout.trim());
  } catch {
    return undefined;
  }
}
