import type { RecordedRequest } from '../types/index.ts';

/** The size of a recorded request as it counts towards `RecordingBounds.sizeBytes`. */
export function recordingSize({ headers, bodyText = '' }: RecordedRequest): number {
  return Buffer.byteLength(JSON.stringify(headers)) + Buffer.byteLength(bodyText);
}
