import type { JsonObject } from '../../contract/index.ts';
import { type Audit, type AuditBounds, type AuditEntry, EngineUnavailable } from '../../engine/types/index.ts';
import { newRunId } from '../run-id.ts';

/** Who asks for an action. */
export type Actor = Pick<AuditEntry, 'actor' | 'role' | 'ip' | 'requestId'>;

/** What is to be done, and how it was before. */
export type AuditedAction = Pick<AuditEntry, 'action' | 'target'> & { readonly before?: JsonObject | undefined };

/** What became of it. */
export type AuditedEnd = Pick<AuditEntry, 'outcome'> & {
  readonly reason?: string | undefined;
  readonly after?: JsonObject | undefined;
};

/** How many entries are kept, and for how long: 400 days. */
const bounds: AuditBounds = { count: 100_000, ageMs: 400 * 86_400_000 };
/** How many refused attempts of one actor are recorded per hour: a token that may only read must not displace the others. */
const refusals = { most: 100, withinMs: 3_600_000 };
/** The longest id that is recorded: a client may send any text in place of one. */
const longestTarget = 200;

/** Records what operators do. Every action goes through `perform`, also those of other places than the admin listener. */
export class AuditTrail {
  readonly #audit: Audit;
  readonly #onLost: (error: unknown, entry: AuditEntry) => void;
  readonly #refused = new Map<string, { since: number; count: number }>();

  /** @param onLost called if the end of an action could not be recorded: its entry stays `started` */
  constructor(audit: Audit, onLost: (error: unknown, entry: AuditEntry) => void = () => {}) {
    this.#audit = audit;
    this.#onLost = onLost;
  }

  /**
   * Does something for an actor. The entry is stored before, as `started`, so that no action is without one, and completed
   * after. Rejects with EngineUnavailable if it cannot be stored; then nothing was done.
   * @param endOf what became of the action, from its result
   */
  async perform<Result>(
    actor: Actor,
    action: AuditedAction,
    work: () => Promise<Result>,
    endOf: (result: Result) => AuditedEnd | Promise<AuditedEnd>,
  ): Promise<Result> {
    const started = entryOf(actor, action, { outcome: 'started' });
    await this.#audit.put(started, bounds);
    try {
      const result = await work();
      await this.#complete(started, await endOf(result));
      return result;
    } catch (error) {
      const reason = EngineUnavailable.is(error) ? 'unavailable' : 'internal_error';
      await this.#complete(started, { outcome: 'failed', reason });
      throw error;
    }
  }

  /** Records that an actor may not do something. */
  async refused(actor: Actor, action: AuditedAction, reason: string): Promise<void> {
    if (!this.#isRecorded(actor.actor)) return;
    const entry = { ...entryOf(actor, action, { outcome: 'refused', reason }), endedAt: Date.now() };
    try {
      await this.#audit.put(entry, bounds);
    } catch (error) {
      // It is refused whether it can be recorded or not.
      this.#onLost(error, entry);
    }
  }

  async #complete(started: AuditEntry, { outcome, reason, after }: AuditedEnd): Promise<void> {
    const entry: AuditEntry = { ...started, outcome, reason, after, endedAt: Date.now() };
    try {
      await this.#audit.put(entry, bounds);
    } catch (error) {
      // It is done: an answer that says otherwise would have it done twice.
      this.#onLost(error, entry);
    }
  }

  #isRecorded(actor: string): boolean {
    const now = Date.now();
    const known = this.#refused.get(actor);
    const counted = known === undefined || known.since + refusals.withinMs <= now ? { since: now, count: 0 } : known;
    counted.count += 1;
    this.#refused.set(actor, counted);
    return counted.count <= refusals.most;
  }
}

function entryOf(
  { actor, role, ip, requestId }: Actor,
  { action, target, before }: AuditedAction,
  { outcome, reason }: AuditedEnd,
): AuditEntry {
  return {
    ...{ id: newRunId(), at: Date.now(), actor, role, action, target: target?.slice(0, longestTarget), ip, requestId },
    ...{ outcome, reason, before, after: undefined, endedAt: undefined },
  };
}
