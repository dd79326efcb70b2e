import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface ExposingProcess {
  readonly pid: number;
  readonly name: string;
}

/**
 * Finds other processes whose environment shows one of these variables to every program of this user: a shell, `npm` or
 * an init that the gateway was started by. Its own children are not counted: what they are given is declared in config.
 * @param proc the folder of the process file system
 */
export async function exposingProcesses(
  variables: readonly (readonly [name: string, value: string])[],
  proc = '/proc',
  gatewayPid = process.pid,
): Promise<readonly ExposingProcess[]> {
  if (variables.length === 0) return [];
  const needles = variables.map(([name, value]) => Buffer.from(`\0${name}=${value}\0`));
  const entries = await readdir(proc).catch(() => []);
  const found: ExposingProcess[] = [];
  for (const pid of entries.filter((entry) => /^\d+$/.test(entry)).map(Number)) {
    if (pid === gatewayPid) continue;
    // Of other users, or ended by now.
    const environment = await readFile(join(proc, String(pid), 'environ')).catch(() => undefined);
    if (environment === undefined) continue;
    const bounded = Buffer.concat([Buffer.from('\0'), environment]);
    if (!needles.some((needle) => bounded.includes(needle))) continue;
    const { name, parent } = await statusOf(join(proc, String(pid), 'stat'));
    if (parent !== gatewayPid) found.push({ pid, name });
  }
  return found;
}

/** `PID (NAME) STATE PARENT …`, where the name may contain anything: proc_pid_stat(5). */
async function statusOf(file: string): Promise<{ readonly name: string; readonly parent: number }> {
  const stat = await readFile(file, 'utf8').catch(() => '');
  const [, name = '', parent] = /^\d+ \((.*)\) \S (\d+) /s.exec(stat) ?? [];
  return { name, parent: Number(parent) };
}
