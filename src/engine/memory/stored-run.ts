import type { RunPolicy, RunRecord } from '../types/index.ts';
import type { HeldClaim } from './claims.ts';

/** A run in memory. Its record is never changed but replaced, so that whoever was given one keeps what was true then. */
export interface StoredRun {
  /** With all that there is to tell; the policy says what may be seen. */
  record: RunRecord;
  readonly policy: RunPolicy;
  readonly claim: HeldClaim | undefined;
  /** What its attempt can be taken up with, as JSON. */
  checkpoint: string | undefined;
  /** Attempts to tell of its end so far; undefined: nobody is to be told, any more or yet. */
  notifyAttempts: number | undefined;
  /** The run that finished next. */
  nextFinished: StoredRun | undefined;
}
