import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** Where the servers and the load run. */
export interface Cores {
  /** What goes in front of a server's command line. */
  readonly serverCommand: readonly string[];
  readonly description: string;
}

/** Pins this process, which makes the load, to one core, and says how to start servers on another. */
export function pinCores(): Cores {
  const hasTaskset = spawnSync('taskset', ['--version']).status === 0;
  if (!hasTaskset || availableParallelism() < 2) {
    return { serverCommand: [], description: 'not pinned: servers and load may share cores' };
  }
  execFileSync('taskset', ['-a', '-c', '-p', '1', String(process.pid)], { stdio: 'ignore' });
  return { serverCommand: ['taskset', '-c', '0'], description: 'servers on core 0, load on core 1' };
}

/** How much processor time a process has used, in milliseconds; undefined where the system does not tell. */
export function processorTimeMs(pid: number): number | undefined {
  try {
    const afterName = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    // utime and stime are the fields 14 and 15 of proc(5), in ticks of 10 ms.
    return (Number(afterName[11]) + Number(afterName[12])) * 10;
  } catch {
    return undefined;
  }
}
