/** Signals a program and all that it has started and that has not left its process group, whose id is the program's. */
export function signalGroup(id: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (id === undefined) return;
  try {
    process.kill(-id, signal);
  } catch {
    // ESRCH: all have ended. EPERM, on macOS: all have ended and are not yet collected.
  }
}

/** Why a program could not be started, e.g. `ENOENT`. The message of the error may hold a path, and is not shown. */
export function startFault(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
