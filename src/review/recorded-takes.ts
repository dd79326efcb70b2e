import { triggerId } from '../config/trigger-key.ts';
import { tokensOf } from '../engine/limits/ledger.ts';
import { instantRun, type SimulatedRun } from '../engine/simulation/simulated-run.ts';
import type { RecordedRun } from '../engine/types/index.ts';

/** What a recording says about the run of a request. */
interface Taken {
  readonly project: string;
  readonly trigger: string;
  readonly run: RecordedRun | undefined;
  readonly took?: SimulatedRun | undefined;
}

/** What a run takes that a request had, or is known to have had. */
export function tookOf(run: RecordedRun | undefined, hasFailed: boolean, currency?: string): SimulatedRun {
  if (run === undefined) return hasFailed ? { ...instantRun, hasFailed } : instantRun;
  const { state, durationMs, usage, cost } = run;
  return {
    durationMs,
    consumed: {
      tokens: usage && tokensOf(usage),
      cost: cost !== undefined && cost.currency === (currency ?? cost.currency) ? cost.nanos : undefined,
    },
    hasFailed: hasFailed || state === 'failed' || state === 'cancelled',
  };
}

/**
 * Returns what the run of a request takes, if it is accepted: what it took when it was recorded, or else the mean of the recorded
 * runs of its trigger.
 * @param currency costs in another one are unknown
 */
export function recordedTakes(
  requests: readonly Taken[],
  currency: string | undefined,
): (request: Taken) => SimulatedRun {
  const means = new Map<string, Means>();
  for (const { project, trigger, run } of requests) {
    if (run === undefined) continue;
    const id = triggerId(project, trigger);
    const mean = means.get(id) ?? new Means();
    means.set(id, mean);
    mean.add(tookOf(run, false, currency));
  }
  return ({ project, trigger, run, took = instantRun }) =>
    run === undefined
      ? { ...(means.get(triggerId(project, trigger))?.run ?? instantRun), hasFailed: took.hasFailed }
      : tookOf(run, took.hasFailed, currency);
}

/** The currency of most recorded costs; undefined if there are none. */
export function recordedCurrency(requests: readonly Taken[]): string | undefined {
  const counts = new Map<string, number>();
  for (const { run } of requests) {
    if (run?.cost !== undefined) counts.set(run.cost.currency, (counts.get(run.cost.currency) ?? 0) + 1);
  }
  return [...counts].sort(([one, first], [other, second]) => second - first || (one < other ? -1 : 1))[0]?.[0];
}

class Means {
  readonly #duration = new Mean();
  readonly #tokens = new Mean();
  readonly #cost = new Mean();

  add({ durationMs, consumed: { tokens, cost } }: SimulatedRun): void {
    this.#duration.add(durationMs);
    this.#tokens.add(tokens);
    this.#cost.add(cost);
  }

  get run(): SimulatedRun {
    const consumed = { tokens: this.#tokens.value, cost: this.#cost.value };
    return { durationMs: this.#duration.value ?? 0, consumed, hasFailed: false };
  }
}

/** The mean of what is known, as a whole number. */
class Mean {
  #sum = 0;
  #count = 0;

  add(value: number | undefined): void {
    if (value === undefined) return;
    this.#sum += value;
    this.#count += 1;
  }

  get value(): number | undefined {
    return this.#count === 0 ? undefined : Math.round(this.#sum / this.#count);
  }
}
