import { engines } from '../engine/index.ts';
import type { RecordedRequest } from '../engine/types/index.ts';

/**
 * The recorded requests of an engine's store, the oldest first, also while a gateway uses it. Undefined if no engine
 * recognises the source, a path or a URL. Throws an Error fit for users if one does and cannot read it.
 */
export async function openRecordings(
  source: string,
): Promise<Iterable<RecordedRequest> | AsyncIterable<RecordedRequest> | undefined> {
  for (const engine of engines.values()) {
    const recordings = await engine.openRecordings?.(source);
    if (recordings !== undefined) return recordings;
  }
  return undefined;
}
