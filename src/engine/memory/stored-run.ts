import type { LimitReservation, Reservation, RunPolicy, RunRecord } from '../types/index.ts';
import type { HeldClaim } from './claims.ts';

/** A run in memory. Its record is replaced, never changed, so that a reader keeps a consistent copy. */
export interface StoredRun {
  /** Complete, except for the input of a run that waits; the policy decides which part of it callers may see. */
  record: RunRecord;
  /** The input as JSON while the run waits for an attempt: objects may take many times as much memory. */
  waitingInput: string | undefined;
  policy: RunPolicy;
  /** What its input and output take. */
  readonly memory: Reservation;
  claim: HeldClaim | undefined;
  /** What its end settles. */
  readonly reservations: readonly LimitReservation[];
  /** The checkpoint that a resumed attempt starts with, as JSON. */
  checkpoint: string | undefined;
  /** Attempts to deliver its notification so far; undefined: there is none to deliver, or not yet. */
  notifyAttempts: number | undefined;
  /** When the next of them is due. */
  notifyAt: number | undefined;
  /** The run that finished next. */
  nextFinished: StoredRun | undefined;
}
