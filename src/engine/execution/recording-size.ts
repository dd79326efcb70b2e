import type { RecordedRequest } from '../types/index.ts';

/** What a recorded request counts towards the bound of their size, in bytes. */
export function recordingSize({ headers, bodyText = '' }: RecordedRequest): number {
  return Buffer.byteLength(JSON.stringify(headers)) + Buffer.byteLength(bodyText);
}
