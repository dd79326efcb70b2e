/** Primary result codes of SQLite (https://www.sqlite.org/rescode.html). */
export const codes = {
  ...{ busy: 5, locked: 6, noMemory: 7, readOnly: 8, io: 10, corrupt: 11, full: 13, cantOpen: 14 },
  ...{ tooBig: 18, constraint: 19, notADatabase: 26 },
};

const unavailable: ReadonlyMap<number, string> = new Map([
  [codes.busy, 'the journal is locked'],
  [codes.locked, 'the journal is locked'],
  [codes.noMemory, 'the journal is out of memory'],
  [codes.readOnly, 'the journal cannot be written'],
  [codes.io, 'the journal cannot be read or written (I/O error)'],
  [codes.corrupt, 'the journal is damaged'],
  [codes.notADatabase, 'the journal is damaged'],
  [codes.full, 'the journal is full: no disk space is left, or its maxSize is reached'],
  [codes.cantOpen, 'the journal cannot be opened'],
]);

/** Whether the file itself is the problem, so that no retry helps. */
export function isDamage(error: unknown): boolean {
  const code = primaryCode(error);
  return code === codes.corrupt || code === codes.notADatabase;
}

/** For operators. */
export function damageMessage(path: string, error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error);
  return `the journal ${path} is damaged (${reason}); "pullcord runs recover" exports what can be read into a new journal`;
}

export function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined;
  return error.errcode & 0xff;
}

/** Why the journal is unavailable; undefined if the operation itself caused the error, so that a retry would fail too. */
export function unavailability(error: unknown): string | undefined {
  const code = primaryCode(error);
  if (code === undefined || code === codes.tooBig || code === codes.constraint) return undefined;
  return unavailable.get(code) ?? `the journal failed (SQLite code ${code})`;
}
