import type { Consumption } from '../types/index.ts';

/** What a simulated run takes once it has a place. */
export interface SimulatedRun {
  readonly durationMs: number;
  readonly consumed: Consumption;
  /** Whether it ends without success, which frees its dedup claim. */
  readonly hasFailed: boolean;
}

/** A run that succeeds at once and reports no usage. */
export const instantRun: SimulatedRun = {
  durationMs: 0,
  consumed: { tokens: undefined, cost: undefined },
  hasFailed: false,
};
