import type { LimitConfig } from '../../../config/model.ts';
import { triggerId } from '../../../config/trigger-key.ts';
import { chargeAll, isReserved } from '../../../engine/limits/ledger.ts';
import { MemoryCounters } from '../../../engine/limits/memory-counters.ts';
import { SimulatedEngine } from '../../../engine/simulation/simulated-engine.ts';
import type { LimitCharge } from '../../../engine/types/index.ts';
import { Expectations } from '../../../runtime/limits/expectations.ts';
import { sweptAtRequest } from '../../../runtime/limits/request-limits.ts';
import type { Snapshot } from '../../../runtime/snapshot.ts';
import { noteConsumption, placesOf } from '../../simulation-parts.ts';
import type { Trace, TracedRequest, TracedRun } from './trace.ts';

export interface SimulatedLimit {
  /** How many requests it takes to simulate it once, and how many of them the limit counts. */
  readonly work: number;
  readonly requests: number;
  /** How many requests a limit refuses with another amount, all other limits being what they are. */
  refusedWith(amount: number): number;
}

/** Simulates a limit of a trace. A limit in shadow mode refuses what it would refuse. */
export function simulateLimit(
  trace: Trace,
  snapshot: Snapshot,
  limit: LimitConfig,
  limits: ReadonlyMap<string, LimitConfig>,
): SimulatedLimit {
  const { id } = limit;
  const traced: readonly { readonly charges: readonly LimitCharge[] }[] =
    limit.unit === 'requests' ? trace.requests : trace.runs;
  return {
    work: traced.length,
    requests: traced.filter(({ charges }) => charges.some((charge) => charge.limit === id)).length,
    refusedWith: (amount) =>
      limit.unit === 'requests'
        ? refusedRequests(trace.requests, id, amount)
        : refusedRuns(trace.runs, snapshot, { id, amount, limits }),
  };
}

function refusedRequests(requests: readonly TracedRequest[], id: string, amount: number): number {
  const counters = new MemoryCounters();
  let refused = 0;
  for (const { at, charges } of requests) {
    counters.sweep(at, sweptAtRequest);
    const charging = chargeAll(counters, withAmount(charges, id, amount), at);
    if (isRefusedBy(charging, id)) refused += 1;
  }
  return refused;
}

interface ChangedLimit {
  readonly id: string;
  readonly amount: number;
  readonly limits: ReadonlyMap<string, LimitConfig>;
}

function refusedRuns(runs: readonly TracedRun[], snapshot: Snapshot, { id, amount, limits }: ChangedLimit): number {
  const expectations = new Expectations();
  const engine = new SimulatedEngine({
    ...placesOf(snapshot),
    onEnd: (run, { consumed }) => noteConsumption(expectations, run, consumed),
  });
  /** What a run is expected to take depends on what has run before it. */
  const expected = (charge: LimitCharge, trigger: string): LimitCharge => {
    const { limit, unit } = charge;
    if (!isReserved(unit) || limits.get(limit)?.estimate !== undefined) return charge;
    return { ...charge, amount: expectations.of(trigger)[unit] };
  };
  let refused = 0;
  for (const { run, claim, charges, took } of runs) {
    // Runs that have ended by now are known.
    engine.advance(run.acceptedAt);
    engine.upcoming = took;
    const trigger = triggerId(run.project, run.trigger);
    const changed = withAmount(charges, id, amount).map((charge) => expected(charge, trigger));
    if (isRefusedBy(engine.submit(run, claim, changed), id)) refused += 1;
  }
  return refused;
}

function withAmount(charges: readonly LimitCharge[], id: string, amount: number): readonly LimitCharge[] {
  return charges.map((charge) => (charge.limit === id ? { ...charge, rule: { ...charge.rule, amount } } : charge));
}

interface Decision {
  readonly kind: string;
  readonly limit?: string;
  readonly shadowed?: readonly string[];
}

/** Whether a limit refused a request, or would have done so if it refused anything. */
export function isRefusedBy({ kind, limit, shadowed = [] }: Decision, id: string): boolean {
  return kind === 'limited' ? limit === id : shadowed.includes(id);
}
