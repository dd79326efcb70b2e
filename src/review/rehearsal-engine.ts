import type { Claim, NewRun, RunRecord, Submission } from '../engine/types/index.ts';
import type { PipelineEngine } from '../runtime/pipeline.ts';

interface HeldClaim {
  readonly run: RunRecord;
  /** Milliseconds since the epoch; infinite: for ever. */
  readonly until: number;
  readonly keepOnFailure: boolean;
}

/**
 * Takes the place of the engine where requests are only tried: it keeps dedup claims, by the clock of the requests, and
 * every run succeeds at once with no output.
 */
export class RehearsalEngine implements PipelineEngine {
  readonly #claims = new Map<string, HeldClaim>();
  readonly #claimed = new Map<string, RunRecord>();
  /** The run that was submitted last: what its agent would have been given. */
  lastRun: NewRun | undefined;
  #lastClaim: string | undefined;

  submit(run: NewRun, claim: Claim | undefined): Submission {
    if (claim !== undefined) {
      const held = this.#claims.get(keyOf(claim));
      if (held !== undefined && run.acceptedAt < held.until) return { kind: 'duplicate', runId: held.run.id };
      const until = run.acceptedAt + (claim.windowMs ?? Infinity);
      const first = { run: succeeded(run), until, keepOnFailure: claim.keepOnFailure };
      this.#claims.set(keyOf(claim), first);
      this.#claimed.set(run.id, first.run);
    }
    this.#lastClaim = claim && keyOf(claim);
    this.lastRun = run;
    const record = succeeded(run);
    return { kind: 'accepted', wait: () => record, deltas: nothing };
  }

  /** The run that holds a claim. */
  get(runId: string): RunRecord | undefined {
    return this.#claimed.get(runId);
  }

  wait(runId: string): RunRecord | undefined {
    return this.get(runId);
  }

  deltas(): AsyncGenerator<never> {
    return nothing();
  }

  /** The run that was submitted last is known to have failed: lets go of its claim. */
  fail(): void {
    const key = this.#lastClaim ?? '';
    if (this.#claims.get(key)?.keepOnFailure === false) this.#claims.delete(key);
  }
}

function keyOf({ scope, fingerprint }: Claim): string {
  return `${scope}\n${fingerprint}`;
}

/** Without the input, which nobody asks for: thousands of requests may be rehearsed. */
function succeeded({ policy: _policy, ...run }: NewRun): RunRecord {
  return {
    ...run,
    input: undefined,
    state: 'succeeded',
    attempt: 1,
    startedAt: run.acceptedAt,
    finishedAt: run.acceptedAt,
    retryAt: undefined,
    failedAttempts: [],
    output: null,
    failure: undefined,
    usage: undefined,
  };
}

async function* nothing(): AsyncGenerator<never> {}
