import type { RecordedRequest } from '../types/index.ts';

/** The size of a recorded request as it counts towards `RecordingBounds.sizeBytes`. */
export function recordingSize({ headers, origin, bodyText = '' }: RecordedRequest): number {
  const sent = [JSON.stringify(headers), origin === undefined ? '' : JSON.stringify(origin), bodyText];
  return sent.reduce((size, text) => size + Buffer.byteLength(text), 0);
}
