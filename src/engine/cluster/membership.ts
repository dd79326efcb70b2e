import type { MaybePromise, PluginLog } from '../../contract/index.ts';
import { EngineUnavailable, type Life, type NodeInfo, type NodeRecord } from '../types/index.ts';
import type { Beat, SharedStore } from './shared-store.ts';

/** The pause before another try to register, at first and at most, in milliseconds. */
const backoffMs = { first: 100, most: 2000 };
/** How long after the lease of another node has ended it is looked for, in milliseconds: the clock of the store is read in whole ones. */
const burialDelayMs = 25;
/** How long a submission waits for the node's registration, in milliseconds. */
const patienceMs = 5000;
const shortestBeatMs = 250;

export interface MembershipParts {
  readonly store: Pick<SharedStore, 'register' | 'beat' | 'leave'>;
  readonly log: PluginLog;
  readonly leaseMs: number;
  /** What attempts do when the store cannot be reached for as long as the lease. */
  readonly onPartition: 'abort' | 'continue';
  info(): NodeInfo;
  /** A life has begun. */
  begun(life: Life): void;
  /** What a life executed is no longer this node's: it is aborted before anything else happens. */
  ended(life: Life): void;
  /** @param sentAt when it was sent, by `performance.now()` */
  beaten(beat: Beat & { kind: 'alive' }, sentAt: number): void;
  /** Runs that have failed, since this node has buried others or has left. */
  failed(runIds: readonly string[]): MaybePromise<void>;
}

interface Lease {
  readonly life: Life;
  /** Until when the lease holds for certain, by `performance.now()`. */
  until: number;
}

/**
 * The lives of this node. The lease is counted from when the beat was sent that renewed it, so that it never ends later here than
 * in the store; and it is looked at before anything starts, since a process may have been stopped for any time.
 */
export class Membership {
  readonly #parts: MembershipParts;
  readonly #beatMs: number;
  readonly #marginMs: number;
  #current: Lease | undefined;
  #registering: Promise<void> | undefined;
  /** Of the life that the lease has ended of, while its attempts go on (`onPartition: continue`). */
  #overdue = false;
  #beatTimer: NodeJS.Timeout | undefined;
  #leaseTimer: NodeJS.Timeout | undefined;
  /** Lives that have ended here, and perhaps not in the store. */
  readonly #over = new Set<Life>();
  #nodes: readonly NodeRecord[] = [];
  #isStopped = false;
  #hasBegun = false;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    this.#beatMs = Math.max(shortestBeatMs, parts.leaseMs / 4);
    this.#marginMs = Math.min(Math.max(1000, parts.leaseMs / 8), parts.leaseMs / 3);
  }

  /** The life, as long as its lease holds for certain. */
  get life(): Life | undefined {
    if (this.#current === undefined) return undefined;
    if (performance.now() >= this.#current.until) this.#leaseIsOver();
    return this.#overdue ? undefined : this.#current?.life;
  }

  /** Whether what this life executes may go on. */
  mayExecute(life: Life): boolean {
    return this.life === life || (this.#overdue && this.#current?.life === life);
  }

  /** Whether the node has had a life, and has none that holds now. */
  get isOut(): boolean {
    return this.#hasBegun && !this.#isStopped && this.life === undefined;
  }

  /** For how long the lease holds for certain, in milliseconds; 0: there is none. */
  get remainingMs(): number {
    return this.life === undefined ? 0 : Math.max((this.#current?.until ?? 0) - performance.now(), 0);
  }

  /** Nodes alive as of the last beat. */
  get nodes(): readonly NodeRecord[] {
    return this.#nodes;
  }

  /** The life, once there is one. Rejects with `EngineUnavailable` if the store does not let the node register. */
  async join(): Promise<Life> {
    const { life } = this;
    if (life !== undefined) return life;
    if (this.#isStopped) throw new EngineUnavailable('the gateway is stopping');
    const registering = this.#register();
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, patienceMs);
    await Promise.race([registering, late.promise]);
    clearTimeout(timer);
    const begun = this.life;
    if (begun === undefined) throw new EngineUnavailable('this node cannot renew its lease in the store');
    return begun;
  }

  /** Renews the lease now: what others know of this node has changed. */
  beatSoon(): void {
    if (this.#current === undefined || this.#isStopped) return;
    this.#plan(0);
  }

  /** No lease is renewed from now on. What is executed continues as long as the last one holds. */
  async leave(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#beatTimer);
    clearTimeout(this.#leaseTimer);
    const current = this.#current;
    this.#current = undefined;
    if (current === undefined) return;
    try {
      await this.#leave(current.life);
    } catch (err) {
      this.#parts.log.warn({ err }, 'the store does not know that this node has left: its lease has to end first');
    }
  }

  async #leave(life: Life): Promise<void> {
    await this.#parts.failed(await this.#parts.store.leave(life));
  }

  #register(): Promise<void> {
    this.#registering ??= this.#begin().finally(() => {
      this.#registering = undefined;
    });
    return this.#registering;
  }

  async #begin(): Promise<void> {
    const { store, log, leaseMs } = this.#parts;
    for (let delayMs = backoffMs.first; !this.#isStopped; delayMs = Math.min(delayMs * 2, backoffMs.most)) {
      try {
        // Nothing of those is executed here: others need not wait until their leases end in the store.
        for (const life of this.#over) {
          await this.#leave(life);
          this.#over.delete(life);
        }
        const sentAt = performance.now();
        const life = await store.register(this.#parts.info(), leaseMs);
        // Closed meanwhile: nobody would renew it.
        if (this.#isStopped) return await this.#leave(life);
        this.#hasBegun = true;
        this.#overdue = false;
        this.#current = { life, until: sentAt + leaseMs - this.#marginMs };
        if (this.life !== life) continue;
        this.#watchLease();
        this.#plan(this.#beatMs);
        this.#parts.begun(life);
        return;
      } catch (err) {
        if (!EngineUnavailable.is(err)) throw err;
        log.warn({ err }, 'this node cannot register in the store; retrying');
      }
      await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
    }
  }

  #plan(delayMs: number): void {
    clearTimeout(this.#beatTimer);
    if (!this.#isStopped) this.#beatTimer = setTimeout(() => void this.#beat(), delayMs);
  }

  /** Beats early when the lease of another node ends before the next beat: what that node executed waits for its burial. */
  #planBurial(life: Life, sentAt: number): void {
    const own = this.#nodes.find((node) => node.life === life);
    if (own === undefined) return;
    const beatAt = own.leaseUntil - this.#parts.leaseMs;
    const ends = this.#nodes.map(({ leaseUntil }) => leaseUntil - beatAt).filter((ms) => ms > 0);
    const dueAt = sentAt + Math.min(...ends) + burialDelayMs;
    const delayMs = dueAt - performance.now();
    if (dueAt < sentAt + this.#beatMs) this.#plan(Math.max(delayMs, 0));
  }

  async #beat(): Promise<void> {
    const { store, leaseMs, log } = this.#parts;
    const current = this.#current;
    if (current === undefined || this.#isStopped) return;
    const sentAt = performance.now();
    // One that does not return is not waited for.
    this.#plan(this.#beatMs);
    try {
      const beat = await store.beat(current.life, this.#parts.info(), leaseMs);
      if (beat.kind === 'alive') void this.#parts.failed(beat.ended);
      if (this.#current !== current || this.#isStopped) return;
      if (beat.kind === 'buried') return this.#lose(current, 'another node has taken over what this node executed');
      this.#nodes = beat.nodes;
      const until = sentAt + leaseMs - this.#marginMs;
      if (until > current.until) current.until = until;
      this.#overdue = false;
      this.#watchLease();
      this.#planBurial(current.life, sentAt);
      // The lease may have ended while nothing ran here.
      if (this.life === undefined && !this.#overdue) return;
      this.#parts.beaten(beat, sentAt);
    } catch (err) {
      if (!EngineUnavailable.is(err)) log.error({ err }, 'the lease of this node could not be renewed');
    }
  }

  #watchLease(): void {
    clearTimeout(this.#leaseTimer);
    const current = this.#current;
    if (current === undefined || this.#isStopped) return;
    this.#leaseTimer = setTimeout(() => void this.life, Math.max(current.until - performance.now(), 0) + 1);
  }

  #leaseIsOver(): void {
    const current = this.#current;
    if (current === undefined || this.#overdue || this.#isStopped) return;
    const why = 'the store has not renewed the lease of this node in time';
    if (this.#parts.onPartition === 'abort') {
      this.#lose(current, why);
      return;
    }
    this.#overdue = true;
    this.#parts.log.warn({}, `${why}; what it executes continues, and nothing new is started`);
  }

  #lose({ life }: Lease, why: string): void {
    clearTimeout(this.#leaseTimer);
    clearTimeout(this.#beatTimer);
    this.#current = undefined;
    this.#overdue = false;
    this.#parts.ended(life);
    this.#parts.log.warn({}, `${why}: its attempts are aborted, and it joins again`);
    this.#over.add(life);
    void this.#register().catch((err) => this.#parts.log.error({ err }, 'this node cannot register in the store'));
  }
}
