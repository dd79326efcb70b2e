import type { Claim, NewRun, RunRecord, Submission } from '../engine/types/index.ts';

interface HeldClaim {
  readonly runId: string;
  /** Milliseconds since the epoch; infinite: for ever. */
  readonly until: number;
  readonly keepOnFailure: boolean;
}

/**
 * Takes the place of the engine where requests are only tried: it keeps dedup claims, by the clock of the requests, and
 * every run succeeds at once with no output.
 */
export class RehearsalEngine {
  readonly #claims = new Map<string, HeldClaim>();
  /** The run that was submitted last: what its agent would have been given. */
  lastRun: NewRun | undefined;
  #lastClaim: string | undefined;

  submit(run: NewRun, claim: Claim | undefined): Submission {
    if (claim !== undefined) {
      const held = this.#claims.get(keyOf(claim));
      if (held !== undefined && run.acceptedAt < held.until) return { kind: 'duplicate', runId: held.runId };
      const until = run.acceptedAt + (claim.windowMs ?? Infinity);
      this.#claims.set(keyOf(claim), { runId: run.id, until, keepOnFailure: claim.keepOnFailure });
    }
    this.#lastClaim = claim && keyOf(claim);
    this.lastRun = run;
    const record = succeeded(run);
    return { kind: 'accepted', wait: () => record, deltas: nothing };
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

function succeeded({ policy: _policy, ...run }: NewRun): RunRecord {
  return {
    ...run,
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
