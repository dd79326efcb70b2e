import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';

export type HiddenEnvironment =
  | { readonly kind: 'hidden' }
  /** Other processes of this user can read the variables that this process was started with. */
  | { readonly kind: 'readable'; readonly reason: string };

/**
 * Erases the environment that the kernel shows of this process in `/proc/PID/environ`, where every program of the same
 * user could read the gateway's secrets. `process.env` keeps its variables. Call it before anything else has started.
 *
 * The kernel shows the memory into which it copied the variables, and to change or delete them in `process.env` does not
 * change that memory. So the C library is first given copies of its own, and then the memory is overwritten.
 */
export function hideEnvironment(): HiddenEnvironment {
  try {
    const shown = readFileSync('/proc/self/environ');
    if (shown.length === 0) return { kind: 'hidden' };
    const memory = openSync('/proc/self/mem', 'r+');
    try {
      const start = startOfEnvironment(memory, shown);
      if (start === undefined) return { kind: 'readable', reason: 'its place in memory is unknown' };
      copyVariables();
      writeSync(memory, Buffer.alloc(shown.length), 0, shown.length, start);
    } finally {
      closeSync(memory);
    }
    const isErased = readFileSync('/proc/self/environ').every((byte) => byte === 0);
    return isErased ? { kind: 'hidden' } : { kind: 'readable', reason: 'it could not be overwritten' };
  } catch (error) {
    return outcomeOf(error);
  }
}

/** After this no pointer of the C library leads into the memory that the kernel shows. */
function copyVariables(): void {
  for (const [name, value] of Object.entries(process.env)) {
    delete process.env[name];
    process.env[name] = value;
  }
}

/** Returns the address, if what is there is what the kernel shows: nothing else may be overwritten. */
function startOfEnvironment(memory: number, shown: Buffer): number | undefined {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  // Fields are counted from 1 (proc_pid_stat(5)); the second is in parentheses and may contain spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [start, end] = [Number(fields[50 - 3]), Number(fields[51 - 3])];
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || end - start !== shown.length) return undefined;
  const found = Buffer.alloc(shown.length);
  return readSync(memory, found, 0, found.length, start) === found.length && found.equals(shown) ? start : undefined;
}

function outcomeOf(error: unknown): HiddenEnvironment {
  const { code, path } = Object(error);
  // A process that is not dumpable, since its file has capabilities for example: its files in /proc belong to root.
  if (path === '/proc/self/environ' && (code === 'EACCES' || code === 'EPERM')) return { kind: 'hidden' };
  if (code === 'ENOENT') return { kind: 'readable', reason: 'this system has no /proc/self/mem' };
  return { kind: 'readable', reason: `/proc/self/mem cannot be written (${String(code)})` };
}
