import { CopyError } from '../../copy/copy-error.ts';
import { damageMessage, isDamage, unavailability } from '../sqlite-error.ts';

/** What an error of SQLite means for the copy of a journal; any other, as it is. */
export function journalError(path: string, error: unknown): unknown {
  if (isDamage(error)) return new CopyError(damageMessage(path, error));
  const reason = unavailability(error);
  return reason === undefined ? error : new CopyError(`${path}: ${reason}`);
}
