import { chargeAll } from '../engine/limits/ledger.ts';
import { MemoryCounters } from '../engine/limits/memory-counters.ts';
import type { Claim, LimitCharge, NewRun, RunRecord, Submission } from '../engine/types/index.ts';
import type { PipelineEngine } from '../runtime/pipeline.ts';

interface HeldClaim {
  readonly run: RunRecord;
  /** Milliseconds since the epoch; infinite: forever. */
  readonly until: number;
  readonly keepOnFailure: boolean;
}

/**
 * The engine of a dry run: it keeps dedup claims by the clock of the requests, and every run succeeds at once without
 * output.
 */
export class RehearsalEngine implements PipelineEngine {
  readonly #claims = new Map<string, HeldClaim>();
  readonly #claimed = new Map<string, RunRecord>();
  readonly #limits = new MemoryCounters();
  /** The run that was submitted last, with the input that its agent would have got. */
  lastRun: NewRun | undefined;
  #lastClaim: string | undefined;

  submit(run: NewRun, claim: Claim | undefined, limits: readonly LimitCharge[] = []): Submission {
    if (claim !== undefined) {
      const held = this.#claims.get(keyOf(claim));
      if (held !== undefined && run.acceptedAt < held.until) return { kind: 'duplicate', runId: held.run.id };
    }
    const charging = chargeAll(this.#limits, limits, run.acceptedAt);
    if (charging.kind === 'limited') return charging;
    if (claim !== undefined) {
      const until = run.acceptedAt + (claim.windowMs ?? Infinity);
      const first = { run: succeeded(run), until, keepOnFailure: claim.keepOnFailure };
      this.#claims.set(keyOf(claim), first);
      this.#claimed.set(run.id, first.run);
    }
    this.#lastClaim = claim && keyOf(claim);
    this.lastRun = run;
    const record = succeeded(run);
    return { kind: 'accepted', shadowed: charging.shadowed, wait: () => record, deltas: nothing };
  }

  /** The run that holds a claim. */
  get(runId: string): RunRecord | undefined {
    return this.#claimed.get(runId);
  }

  active(): undefined {
    return undefined;
  }

  wait(runId: string): RunRecord | undefined {
    return this.get(runId);
  }

  deltas(): AsyncGenerator<never> {
    return nothing();
  }

  /** Releases the claim of the run that was submitted last, because that run is known to have failed. */
  fail(): void {
    const key = this.#lastClaim ?? '';
    if (this.#claims.get(key)?.keepOnFailure === false) this.#claims.delete(key);
  }
}

function keyOf({ scope, fingerprint }: Claim): string {
  return `${scope}\n${fingerprint}`;
}

/** Without the input, which nobody reads: a dry run may have thousands of requests. */
function succeeded({ policy: _policy, ...run }: NewRun): RunRecord {
  return {
    ...run,
    input: undefined,
    origin: run.origin,
    state: 'succeeded',
    attempt: 1,
    startedAt: run.acceptedAt,
    finishedAt: run.acceptedAt,
    retryAt: undefined,
    failedAttempts: [],
    interruptions: 0,
    output: null,
    failure: undefined,
    failureDetail: undefined,
    usage: undefined,
    cost: undefined,
  };
}

async function* nothing(): AsyncGenerator<never> {}
