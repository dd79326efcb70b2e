import { readRecordings } from '../engine/sqlite/read-recordings.ts';
import type { RecordedRequest } from '../engine/types/index.ts';

/**
 * The recorded requests of a journal file, the oldest first, also while a gateway uses it. Throws an Error fit for a
 * user's eyes if the file is no journal of Pullcord.
 */
export function journalRequests(file: string): Iterable<RecordedRequest> {
  return readRecordings(file);
}
