import { LRUCache } from 'lru-cache';
import type { PluginLog } from '../contract/index.ts';
import type { LiveTrigger } from '../runtime/snapshot.ts';

/** How often requests that have no line of their own are summarized in the log, in milliseconds. */
const summaryEveryMs = 10_000;
/** How many refused requests get a line of their own in that time: a flood of them must not flood the log. */
const mostLines = 1000;
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

/** A request that was refused or has failed, as its log line has it. */
export interface RefusedRequest {
  /** As its answer names it. */
  readonly requestId: string;
  readonly status: number;
  readonly outcome: string;
  readonly reason: string;
  readonly project?: string | undefined;
  readonly trigger?: string | undefined;
  /** Who sent it, if it was authenticated, and with which secret. */
  readonly caller?: string | undefined;
  readonly secret?: string | undefined;
  readonly runId?: string | undefined;
}

/** How many requests a limit in shadow mode would have refused. */
export interface ShadowCount {
  readonly project: string;
  readonly trigger: string;
  /** Its name. */
  readonly limit: string;
  total: number;
}

interface ShadowEntry extends ShadowCount {
  logged: number;
}

interface Entry extends OutcomeCount {
  logged: number;
}

/**
 * Counts the outcomes of requests, and logs those that were refused or have failed, each with its id. Of a flood, the first
 * ones have lines of their own, and the others are summarized by kind every ten seconds.
 */
export class OutcomeLog {
  readonly #entries = new LRUCache<string, Entry>({ max: mostCounts });
  readonly #shadowed = new LRUCache<string, ShadowEntry>({ max: mostCounts });
  readonly #log: PluginLog;
  readonly #timer: NodeJS.Timeout;
  #linesLeft = mostLines;

  constructor(log: PluginLog) {
    this.#log = log;
    this.#timer = setInterval(() => this.#summarize(), summaryEveryMs);
    this.#timer.unref();
  }

  /**
   * Counts one request. Trigger and reason come from config and code, never from the request: their number is bounded.
   * @param line makes its log line; undefined if it was neither refused nor failed
   */
  count(trigger: LiveTrigger | undefined, outcome: string, reason: string, line?: () => RefusedRequest): void {
    const entry = this.#entryOf(trigger, outcome, reason);
    entry.total += 1;
    if (line !== undefined && this.log(line)) entry.logged += 1;
    // The first handshake at once: somebody waits for it to work.
    else if (outcome === 'handshake' && entry.total === 1) this.#summarizeKind(entry);
  }

  /** Logs a request that is not counted. Returns whether it has a line. */
  log(line: () => RefusedRequest): boolean {
    if (this.#linesLeft === 0) return false;
    this.#linesLeft -= 1;
    const request = line();
    const hasFailed = request.status >= 500 || request.status === 408;
    const isCancelled = request.outcome === 'run_cancelled';
    const failed = isCancelled ? 'run of a request cancelled' : 'request failed';
    this.#log.info(request, hasFailed ? failed : 'request refused');
    return true;
  }

  /** Counts a request that limits in shadow mode would have refused. */
  shadowed(trigger: LiveTrigger | undefined, limits: readonly string[]): void {
    for (const limit of limits) {
      const key = `${trigger?.id ?? ''}\n${limit}`;
      const named = { project: trigger?.project.id ?? '', trigger: trigger?.key ?? '', limit };
      const entry = this.#shadowed.get(key) ?? { ...named, total: 0, logged: 0 };
      entry.total += 1;
      this.#shadowed.set(key, entry);
      // The first at once: somebody waits to see what it would do.
      if (entry.total === 1) this.#summarizeShadow(entry);
    }
  }

  shadowCounts(): Iterable<ShadowCount> {
    return this.#shadowed.values();
  }

  counts(): Iterable<OutcomeCount> {
    return this.#entries.values();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#summarize();
  }

  #entryOf(trigger: LiveTrigger | undefined, outcome: string, reason: string): Entry {
    const key = `${trigger?.id ?? ''}\n${outcome}\n${reason}`;
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const project = trigger?.project.id ?? '';
    const added = { project, trigger: trigger?.key ?? '', outcome, reason, total: 0, logged: 0 };
    this.#entries.set(key, added);
    return added;
  }

  #summarize(): void {
    this.#linesLeft = mostLines;
    for (const entry of this.#entries.values()) {
      if (entry.outcome !== 'accepted' && entry.total > entry.logged) this.#summarizeKind(entry);
    }
    for (const entry of this.#shadowed.values()) if (entry.total > entry.logged) this.#summarizeShadow(entry);
  }

  #summarizeShadow(entry: ShadowEntry): void {
    const { project, trigger, limit, total, logged } = entry;
    entry.logged = total;
    this.#log.info({ project, trigger, limit, count: total - logged }, 'a limit in shadow mode would have refused');
  }

  #summarizeKind(entry: Entry): void {
    const { project, trigger, outcome, reason, total, logged } = entry;
    entry.logged = total;
    const message = outcome === 'handshake' ? 'handshakes answered' : 'more requests refused';
    this.#log.info({ project, trigger, outcome, reason, count: total - logged }, message);
  }
}
