import type { RunPolicy, RunRecord } from '../types/index.ts';
import type { HeldClaim } from './claims.ts';

/** A run in memory. Its record is replaced, never changed, so that a reader keeps a consistent copy. */
export interface StoredRun {
  /** Complete; the policy decides which part of it callers may see. */
  record: RunRecord;
  readonly policy: RunPolicy;
  readonly claim: HeldClaim | undefined;
  /** The checkpoint that a resumed attempt starts with, as JSON. */
  checkpoint: string | undefined;
  /** Attempts to deliver its notification so far; undefined: there is none to deliver, or not yet. */
  notifyAttempts: number | undefined;
  /** The run that finished next. */
  nextFinished: StoredRun | undefined;
}
