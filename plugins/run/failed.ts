import type { FailedRunResult } from '../../src/contract/index.ts';

/** @param message fit for a caller's eyes: no payload, no address, no secret */
export function failed(message: string, retryable = false): FailedRunResult {
  return { kind: 'failed', message, retryable };
}
