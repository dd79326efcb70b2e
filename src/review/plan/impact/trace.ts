import type { SimulatedRun } from '../../../engine/simulation/simulated-run.ts';
import type { Claim, LimitCharge, NewRun } from '../../../engine/types/index.ts';

/** How many requests a search for limits simulates again: they are kept in memory. */
const mostTraced = 200_000;

/** A request that limits of requests have counted or refused. */
export interface TracedRequest {
  readonly at: number;
  readonly charges: readonly LimitCharge[];
}

/** A run that was submitted. */
export interface TracedRun {
  /** Without its input. */
  readonly run: NewRun;
  readonly claim: Claim | undefined;
  readonly charges: readonly LimitCharge[];
  readonly took: SimulatedRun;
}

/** What reached limits and the engine, in the order of arrival: enough to simulate it with other limits, without filters. */
export class Trace {
  readonly requests: TracedRequest[] = [];
  readonly runs: TracedRun[] = [];

  charged(at: number, charges: readonly LimitCharge[]): void {
    if (this.requests.length < mostTraced) this.requests.push({ at, charges });
  }

  submitted({ run, claim, charges, took }: TracedRun): void {
    if (this.runs.length === mostTraced) return;
    this.runs.push({ run: { ...run, input: noInput, origin: undefined }, claim, charges, took });
  }
}

const noInput = {} as NewRun['input'];
