import type { AuthVerdict } from '../../src/contract/index.ts';

/** The request carries no credential of the plugin's kind. */
export const abstained: AuthVerdict = Object.freeze({ kind: 'abstained' });

/** @param reason for the log, and a label of metrics: it comes from the code, never from the request */
export function rejected(reason: string): AuthVerdict {
  return { kind: 'rejected', reason };
}
