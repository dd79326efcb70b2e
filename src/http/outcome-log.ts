import { LRUCache } from 'lru-cache';
import type { PluginLog } from '../contract/index.ts';
import type { LiveTrigger } from '../runtime/snapshot.ts';

/** How often refusals are summed up in the log, in milliseconds. */
const summaryEveryMs = 10_000;
/** Triggers come and go over months of reloads; the counts of those that no request asks for any more may go. */
const mostCounts = 10_000;

/** How often requests came out in one way. */
export interface OutcomeCount {
  /** Empty when the request named no known trigger. */
  readonly project: string;
  readonly trigger: string;
  /** `accepted`, `handshake`, or the code of the error reply. */
  readonly outcome: string;
  /** Why, for the operator: the filter's name, or what was wrong with the credential. */
  readonly reason: string;
  total: number;
}

interface Entry extends OutcomeCount {
  told: number;
}

/**
 * Counts how requests come out, and explains refusals without flooding the log: the first of its kind at once, the
 * others as one line every ten seconds.
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

  /** Counts one request. Project, trigger and reason come from config and code, never from the request: so they are few. */
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
      told: 0,
    };
    this.#entries.set(key, added);
    if (!isAccepted) this.#tell(added);
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
      if (entry.outcome !== 'accepted' && entry.total > entry.told) this.#tell(entry);
    }
  }

  #tell(entry: Entry): void {
    const { project, trigger, outcome, reason } = entry;
    const count = entry.total - entry.told;
    entry.told = entry.total;
    const message = outcome === 'handshake' ? 'handshakes answered' : 'requests refused';
    this.#log.info({ project, trigger, outcome, reason, count }, message);
  }
}
