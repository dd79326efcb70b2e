import { LRUCache } from 'lru-cache';
import { channels, type ObservedGateway, type PluginLog, type RequestMessage } from '../contract/index.ts';
import { Subscriptions } from './subscriptions.ts';

/** How often requests that have no line of their own are summarized in the log, in milliseconds. */
const summaryEveryMs = 10_000;
/** How many refused requests get a line of their own in that time: a flood of them must not flood the log. */
const mostLines = 1000;
/** Bounds the memory: over months of reloads, counts of triggers that no longer get requests are evicted. */
const mostCounts = 10_000;

/** A bug of the gateway or of a plugin: it is logged with its error where that is caught. */
const ownError = 'internal_error';

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
  readonly #subscriptions: Subscriptions;
  #linesLeft = mostLines;
  #suppressed = 0;

  constructor(log: PluginLog, gateway: ObservedGateway) {
    this.#log = log;
    this.#timer = setInterval(() => this.#summarize(), summaryEveryMs);
    this.#timer.unref();
    this.#subscriptions = new Subscriptions(gateway);
    this.#subscriptions.add(channels.request.decided, (request) => this.#decided(request));
  }

  #decided(request: RequestMessage): void {
    const { outcome, code } = request;
    for (const limit of request.shadowed) this.#shadow(request, limit);
    // Reads of runs and completions are not counted.
    if (outcome === undefined) {
      if (code !== undefined && code !== ownError) this.#writeLine(request, code);
      return;
    }
    // Outcomes, triggers and reasons come from config and code, never from the request: their number is bounded.
    const entry = this.#entryOf(request, outcome);
    entry.total += 1;
    // A run that was accepted may end in an error.
    const refusal = outcome === 'accepted' ? code : outcome === 'handshake' ? undefined : outcome;
    if (refusal !== undefined && (outcome === ownError || this.#writeLine(request, refusal))) entry.logged += 1;
    // The first handshake at once: somebody waits for it to work.
    else if (outcome === 'handshake' && entry.total === 1) this.#summarizeKind(entry);
  }

  /** Logs a request that was refused or has failed. Returns whether there was room for its line. */
  #writeLine(request: RequestMessage, outcome: string): boolean {
    if (this.#linesLeft === 0) {
      this.#suppressed += 1;
      return false;
    }
    this.#linesLeft -= 1;
    const { requestId, status = 0, project, trigger, caller, secret, runId, reason, detail } = request;
    const line = { requestId, status, project, trigger, caller, secret, runId, outcome, reason: reason || detail };
    const failed = outcome === 'run_cancelled' ? 'run of a request cancelled' : 'request failed';
    this.#log.info(line, status >= 500 || status === 408 ? failed : 'request refused');
    return true;
  }

  #shadow({ project = '', trigger = '' }: RequestMessage, limit: string): void {
    const key = `${project}/${trigger}\n${limit}`;
    const entry = this.#shadowed.get(key) ?? { project, trigger, limit, total: 0, logged: 0 };
    entry.total += 1;
    this.#shadowed.set(key, entry);
    // The first at once: somebody waits to see what it would do.
    if (entry.total === 1) this.#summarizeShadow(entry);
  }

  /** How many refused or failed requests have had no line of their own. */
  get suppressed(): number {
    return this.#suppressed;
  }

  shadowCounts(): Iterable<ShadowCount> {
    return this.#shadowed.values();
  }

  counts(): Iterable<OutcomeCount> {
    return this.#entries.values();
  }

  close(): void {
    this.#subscriptions.close();
    clearInterval(this.#timer);
    this.#summarize();
  }

  #entryOf({ project = '', trigger = '', reason }: RequestMessage, outcome: string): Entry {
    const key = `${project}/${trigger}\n${outcome}\n${reason}`;
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const added = { project, trigger, outcome, reason, total: 0, logged: 0 };
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
