import { LRUCache } from 'lru-cache';
import type { PluginLog } from '../contract/index.ts';
import type { LiveTrigger } from '../runtime/snapshot.ts';

/** How often refusals are summarized in the log, in milliseconds. */
const summaryEveryMs = 10_000;
/** Bounds the memory: over months of reloads, counts of triggers that no longer get requests are evicted. */
const mostCounts = 10_000;

/** How many requests had one outcome. */
export interface OutcomeCount {
  /** Empty if the request did not name a known trigger. */
  readonly project: string;
  readonly trigger: string;
  /** `accepted`, `handshake`, or the code of the error reply. */
  readonly outcome: string;
  /** Why, for the operator: the filter's name, or what was wrong with the credential. */
  readonly reason: string;
  total: number;
}

interface Entry extends OutcomeCount {
  logged: number;
}

/**
 * Counts the outcomes of requests, and logs refusals without flooding the log: the first of its kind at once, the
 * others in one line every ten seconds.
 */
export class OutcomeLog {
  readonly #entries = new LRUCache<string, Entry>({ max: mostCounts });
  readonly #log: PluginLog;
  readonly #timer: NodeJS.Timeout;

  constructor(log: PluginLog) {
    this.#log = log;
    this.#timer = setInterval(() => this.#summarize(), summaryEveryMs);
    this.#timer.unref();
  }

  /** Counts one request. Trigger and reason come from config and code, never from the request: their number is bounded. */
  count(trigger: LiveTrigger | undefined, outcome: string, reason = ''): void {
    const key = `${trigger?.id ?? ''}\n${outcome}\n${reason}`;
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      entry.total += 1;
      return;
    }
    const isAccepted = outcome === 'accepted';
    const added: Entry = {
      project: trigger?.project.id ?? '',
      trigger: trigger?.key ?? '',
      outcome,
      reason,
      total: 1,
      logged: 0,
    };
    this.#entries.set(key, added);
    if (!isAccepted) this.#write(added);
  }

  counts(): Iterable<OutcomeCount> {
    return this.#entries.values();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#summarize();
  }

  #summarize(): void {
    for (const entry of this.#entries.values()) {
      if (entry.outcome !== 'accepted' && entry.total > entry.logged) this.#write(entry);
    }
  }

  #write(entry: Entry): void {
    const { project, trigger, outcome, reason } = entry;
    const count = entry.total - entry.logged;
    entry.logged = entry.total;
    const message = outcome === 'handshake' ? 'handshakes answered' : 'requests refused';
    this.#log.info({ project, trigger, outcome, reason, count }, message);
  }
}
