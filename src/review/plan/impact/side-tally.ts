import { triggerId } from '../../../config/trigger-key.ts';
import type { Charging } from '../../../engine/limits/ledger.ts';
import type { SimulatedRun } from '../../../engine/simulation/simulated-run.ts';
import type { Claim, LimitCharge, NewRun, RunRecord, Submission } from '../../../engine/types/index.ts';
import type { TriableRequest } from '../../recorded-requests.ts';
import type { RehearsalObserver } from '../../rehearsal.ts';
import { isRefusedBy } from './simulate-limit.ts';
import type { Trace } from './trace.ts';

/** A request that a limit refused, or would have refused. */
export interface LimitRefusal {
  readonly at: number;
  readonly trigger: string;
  readonly caller: string | undefined;
  /** Of `per`. */
  readonly value: string;
}

/** What limits and places did to the requests on one side of a plan. */
export class SideTally implements RehearsalObserver {
  /** By the id of the limit. */
  readonly refusals = new Map<string, LimitRefusal[]>();
  /** How many requests each limit counted or refused. */
  readonly requests = new Map<string, number>();
  /** How long the runs of each trigger waited, in milliseconds. */
  readonly waits = new Map<string, number[]>();
  readonly #trace: Trace | undefined;
  #hasBegun = false;
  #current: { readonly request: TriableRequest; readonly took: SimulatedRun } | undefined;

  /** @param trace what is kept to simulate it again */
  constructor(trace: Trace | undefined) {
    this.#trace = trace;
  }

  /** Whether the current request has begun a run, and not only joined the one of its burst. */
  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** The request is tried next. */
  begin(request: TriableRequest, took: SimulatedRun): void {
    this.#hasBegun = false;
    this.#current = { request, took };
  }

  charged(charges: readonly LimitCharge[], charging: Charging): void {
    const { request } = this.#current ?? {};
    if (request === undefined) return;
    this.#trace?.charged(request.receivedAt, charges);
    this.#count(request, charges, charging);
  }

  submitted(run: NewRun, claim: Claim | undefined, charges: readonly LimitCharge[], submission: Submission): void {
    const { request, took } = this.#current ?? {};
    if (request === undefined || took === undefined) return;
    this.#trace?.submitted({ run, claim, charges, took });
    const isJoined = submission.kind === 'accepted' && (submission.burst?.runId ?? run.id) !== run.id;
    this.#hasBegun = submission.kind === 'accepted' && !isJoined;
    // Limits have counted the run that it joins.
    if (this.#hasBegun || submission.kind === 'limited') this.#count(request, charges, submission);
  }

  started({ project, trigger }: RunRecord, waitedMs: number): void {
    const id = triggerId(project, trigger);
    const waits = this.waits.get(id) ?? [];
    waits.push(waitedMs);
    this.waits.set(id, waits);
  }

  #count(request: TriableRequest, charges: readonly LimitCharge[], decided: Charging | Submission): void {
    for (const { limit, value } of charges) {
      this.requests.set(limit, (this.requests.get(limit) ?? 0) + 1);
      if (!isRefusedBy(decided, limit)) continue;
      const refusals = this.refusals.get(limit) ?? [];
      const { project, trigger, receivedAt: at, caller } = request;
      refusals.push({ at, trigger: `${project}/${trigger}`, caller, value });
      this.refusals.set(limit, refusals);
    }
  }
}
