import type { PluginLog } from '../../contract/index.ts';
import { longestTimerMs } from '../execution/timers.ts';
import { EngineUnavailable, type Life } from '../types/index.ts';
import type { Membership } from './membership.ts';
import { OneAtATime } from './one-at-a-time.ts';
import type { Places } from './places.ts';
import type { Rules } from './rules.ts';
import type { SharedStore, TakenRun, Taking, Turn, Want } from './shared-store.ts';

/** How often the store is asked for runs while there is a place, in milliseconds: hints may be lost. */
const pollMs = 1000;
/** How many runs are taken in one step: each is read with its input. */
const mostAtOnce = 200;

export interface TakerParts {
  readonly store: Pick<SharedStore, 'take' | 'serve' | 'hint' | 'release'>;
  readonly log: PluginLog;
  readonly membership: Pick<Membership, 'life' | 'nodes'>;
  readonly places: Places;
  readonly rules: Rules;
  isAlone(): boolean;
  /** Whether runs that were taken wait for memory. */
  isCrowded(): boolean;
  /** Executes a run that a life has taken. */
  begin(run: TakenRun, life: Life): void;
}

/** Takes runs from the store when there is a place for them here: when something may have become ready, and by polling. */
export class Taker {
  readonly #parts: TakerParts;
  readonly #poll: NodeJS.Timeout;
  #turn: Turn = { lane: '', values: {} };
  readonly #taking = new OneAtATime(() => this.#take());
  #isStopped = false;
  #next: { readonly timer: NodeJS.Timeout; readonly at: number } | undefined;

  constructor(parts: TakerParts) {
    this.#parts = parts;
    this.#poll = setInterval(() => this.take(), pollMs);
    this.#poll.unref();
  }

  /** No run is taken from now on. */
  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#poll);
    clearTimeout(this.#next?.timer);
  }

  /** What may be taken now, at most `most`; undefined: nothing. Its places are reserved until `taken`. */
  want(most: number): Want | undefined {
    const { membership, places, rules } = this.#parts;
    if (this.#isStopped || membership.life === undefined || this.#parts.isCrowded()) return undefined;
    const { revision } = rules;
    const { nodes } = membership;
    const unserved = nodes.length > 0 && nodes.every((node) => node.revision === revision);
    return places.reserve(Math.min(most, mostAtOnce), { revision, turn: this.#turn, unserved });
  }

  /** The store has taken runs; undefined if it could not. */
  taken(life: Life, want: Want, taking: Taking | undefined): void {
    this.#parts.places.settle(want);
    if (taking === undefined) return;
    this.#turn = taking.turn;
    this.#begin(taking.runs, life);
    if (taking.unknown.length > 0) void this.#serve(taking.unknown);
    if (taking.nextInMs !== undefined) this.takeIn(taking.nextInMs);
    // A full step says nothing of what is behind it.
    if (taking.hasMore || taking.runs.length === want.runs) this.#more(taking.hasMore);
  }

  /** Runs may be ready. */
  take(): void {
    this.#taking.ask();
  }

  /** A run becomes ready after a while. */
  takeIn(delayMs: number): void {
    if (this.#isStopped) return;
    const at = performance.now() + delayMs;
    if (this.#next !== undefined && this.#next.at <= at) return;
    clearTimeout(this.#next?.timer);
    const timer = setTimeout(
      () => {
        this.#next = undefined;
        this.take();
      },
      Math.min(Math.max(delayMs, 1), longestTimerMs),
    );
    timer.unref();
    this.#next = { timer, at };
  }

  /** What the executor says of triggers may have changed. */
  async reconsider(): Promise<void> {
    const { store, rules, log } = this.#parts;
    const changed = rules.changed();
    try {
      if (changed.length > 0) await store.serve(rules.revision, changed);
    } catch (err) {
      log.error({ err }, 'the changed limits of triggers could not be stored');
      setTimeout(() => !this.#isStopped && void this.#serve(changed), pollMs).unref();
    }
    this.take();
  }

  async #take(): Promise<void> {
    const { store, membership, log } = this.#parts;
    const { life } = membership;
    const want = life === undefined ? undefined : this.want(Number.POSITIVE_INFINITY);
    if (life === undefined || want === undefined) return;
    let taking: Taking | undefined;
    try {
      taking = await store.take(life, want);
    } catch (err) {
      if (!EngineUnavailable.is(err)) log.error({ err }, 'no runs could be taken from the store');
    } finally {
      this.taken(life, want, taking);
    }
  }

  #begin(runs: readonly TakenRun[], life: Life): void {
    const { membership, store, log } = this.#parts;
    if (runs.length === 0) return;
    if (membership.life === life && !this.#isStopped) {
      for (const run of runs) this.#parts.begin(run, life);
      return;
    }
    // The lease ended, or the gateway began to stop, while the store answered.
    const runIds = runs.map(({ record }) => record.id);
    store.release(life, runIds).catch((err) => log.warn({ err }, 'runs that do not start here could not be returned'));
  }

  async #serve(names: Taking['unknown']): Promise<void> {
    const { store, rules, log } = this.#parts;
    try {
      await store.serve(rules.revision, rules.of(names));
      this.take();
    } catch (err) {
      // They are unknown in the next answer too.
      if (!EngineUnavailable.is(err)) log.error({ err }, 'the limits of triggers could not be stored');
    }
  }

  #more(isKnown: boolean): void {
    if (this.#parts.places.free > 0) this.take();
    else if (isKnown && !this.#parts.isAlone()) this.#parts.store.hint({ kind: 'ready' });
  }
}
