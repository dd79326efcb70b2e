import { ExpiryQueue } from '../execution/expiry-queue.ts';
import type { Claim, NewRun } from '../types/index.ts';

/** A claim and the run that holds it. */
export interface HeldClaim extends Claim {
  readonly runId: string;
  /** When its window ends, milliseconds since the epoch; Infinity: never. */
  readonly until: number;
  /** Whether its run is queued or running: such a claim does not expire. */
  isRunActive: boolean;
}

/** All claims that are held. */
export class Claims {
  readonly #scopes = new Map<string, Map<string, HeldClaim>>();
  /** Claims whose run is final and whose window ends. */
  readonly #ending = new ExpiryQueue<HeldClaim>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The claim that holds the fingerprint. One past its window is dropped here, without waiting for a sweep. */
  find(scope: string, fingerprint: string, now: number): HeldClaim | undefined {
    const held = this.#scopes.get(scope)?.get(fingerprint);
    if (held === undefined || held.isRunActive || held.until > now) return held;
    this.#drop(held);
    return undefined;
  }

  /** Claims a free fingerprint for a run. */
  hold(claim: Claim, run: Pick<NewRun, 'id' | 'acceptedAt'>): HeldClaim {
    const { scope, fingerprint, windowMs, keepOnFailure } = claim;
    const until = windowMs === undefined ? Number.POSITIVE_INFINITY : run.acceptedAt + windowMs;
    const held = { scope, fingerprint, windowMs, keepOnFailure, runId: run.id, until, isRunActive: true };
    let inScope = this.#scopes.get(scope);
    if (inScope === undefined) {
      inScope = new Map();
      this.#scopes.set(scope, inScope);
    }
    inScope.set(fingerprint, held);
    this.#size += 1;
    return held;
  }

  /** The holder is final: a failed or cancelled one releases the claim. */
  settle(held: HeldClaim, hasSucceeded: boolean): void {
    held.isRunActive = false;
    if (!hasSucceeded && !held.keepOnFailure) this.#drop(held);
    else if (held.until !== Number.POSITIVE_INFINITY) this.#ending.add(held.until, held);
  }

  /** The holder gives its claim up: what it claimed never runs. */
  release(held: HeldClaim): void {
    this.#drop(held);
  }

  /** Drops claims past their window, up to `limit`. True if there may be more. */
  sweep(now: number, limit: number): boolean {
    for (let count = 0; count < limit; count += 1) {
      const held = this.#ending.takeExpired(now);
      if (held === undefined) return false;
      this.#drop(held);
    }
    return true;
  }

  /** Unless another run holds the fingerprint by now. */
  #drop(held: HeldClaim): void {
    const inScope = this.#scopes.get(held.scope);
    if (inScope?.get(held.fingerprint) !== held) return;
    inScope.delete(held.fingerprint);
    if (inScope.size === 0) this.#scopes.delete(held.scope);
    this.#size -= 1;
  }
}
