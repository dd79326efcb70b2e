import { readFile } from 'node:fs/promises';

/** The most that a process had in memory so far, in MB of 10⁶ bytes. */
export async function peakMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kibibytes = Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]);
  return Math.round((kibibytes * 1024) / 1e6);
}
