import type { JsonValue, PluginLog } from '../../contract/index.ts';
import type { Executor, Life } from '../types/index.ts';
import type { LocalRuns } from './local-runs.ts';
import type { Membership } from './membership.ts';
import type { Message } from './messages.ts';
import { OneAtATime } from './one-at-a-time.ts';
import type { SharedStore } from './shared-store.ts';

/** How often a completion is offered to an attempt that does not wait for it yet, in milliseconds. */
const offerMs = 250;

export interface CompletionsParts {
  readonly store: Pick<SharedStore, 'deliver' | 'delivered' | 'ownerOf'>;
  readonly log: PluginLog;
  readonly runs: LocalRuns;
  readonly membership: Pick<Membership, 'life'>;
  send(life: Life, message: Message): void;
  /** Undefined: nothing is executed yet. */
  executor(): Executor | undefined;
}

/** Completions that agents post: they arrive at any node, and are stored until the attempt that waits for them has them. */
export class Completions {
  readonly #parts: CompletionsParts;
  readonly #waiting = new Map<string, JsonValue>();
  /** The attempts that have theirs. */
  readonly #done = new WeakSet<object>();
  readonly #reading = new OneAtATime(() => this.#read());
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: CompletionsParts) {
    this.#parts = parts;
  }

  /** As `Engine.deliver`. */
  async deliver(runId: string, completion: JsonValue): Promise<boolean> {
    const { store, runs, send } = this.#parts;
    if (!(await store.deliver(runId, JSON.stringify(completion)))) return false;
    if (runs.get(runId) !== undefined) this.look();
    else {
      const owned = await store.ownerOf(runId);
      if (owned !== undefined) send(owned.owner, { kind: 'completion', run: runId });
    }
    return true;
  }

  /** Some may have arrived for attempts on this node. */
  look(): void {
    if (this.#parts.executor()?.complete === undefined || this.#parts.runs.size === 0) return;
    this.#reading.ask();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#waiting.clear();
  }

  async #read(): Promise<void> {
    const { store, membership, log } = this.#parts;
    const { life } = membership;
    if (life === undefined) return;
    try {
      for (const [runId, text] of await store.delivered(life)) this.#waiting.set(runId, JSON.parse(text));
      this.#offer();
    } catch (err) {
      log.warn({ err }, 'completions could not be read from the store; they are read again');
    }
  }

  #offer(): void {
    for (const [runId, completion] of this.#waiting) {
      const slot = this.#parts.runs.undecided(runId);
      if (slot === undefined || this.#done.has(slot)) this.#waiting.delete(runId);
      else if (this.#parts.executor()?.complete?.(runId, completion) === true) {
        this.#done.add(slot);
        this.#waiting.delete(runId);
      }
    }
    clearTimeout(this.#timer);
    if (this.#waiting.size > 0) this.#timer = setTimeout(() => this.#offer(), offerMs).unref();
  }
}
