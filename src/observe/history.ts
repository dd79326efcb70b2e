import {
  type AttemptMessage,
  channels,
  type ObservedGateway,
  type ReloadMessage,
  type RequestMessage,
  type RunMessage,
} from '../contract/index.ts';
import { Subscriptions } from './subscriptions.ts';

export type RequestGroup = 'accepted' | 'dropped' | 'duplicate' | 'limited' | 'refused' | 'failed';
export type EndedState = 'succeeded' | 'input_required' | 'failed' | 'cancelled';

/** What happened within a step. */
export interface HistoryStep {
  /** When it began, milliseconds since the epoch. */
  readonly at: number;
  readonly requests: Record<RequestGroup, number>;
  readonly runs: Record<EndedState, number>;
  /** Attempts by their duration: how many were within each bound of `durationBounds`, and beyond. */
  readonly attempts: number[];
  readonly cost: Map<string, number>;
  inputTokens: number;
  outputTokens: number;
  /** At its end. */
  queued: number;
  running: number;
}

export interface ReloadMark {
  readonly at: number;
  readonly outcome: ReloadMessage['outcome'];
  readonly revision: string;
  readonly gitCommit: string | undefined;
  /** Of the commit, once git has said it. */
  by: { readonly author: string; readonly subject: string } | undefined;
}

/** Milliseconds. */
export const durationBounds: readonly number[] = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000, 120_000, 300_000, 600_000],
];

const ranges = { '1h': { stepMs: 10_000, steps: 360 }, '24h': { stepMs: 60_000, steps: 1440 } } as const;
export type HistoryRange = keyof typeof ranges;
const mostReloads = 100;
/** Of currencies: a config has one, and may be changed. */
const mostCurrencies = 5;

export interface HistoryParts {
  readonly gateway: ObservedGateway;
  readonly clock?: { now(): number };
  load(): { readonly queued: number; readonly running: number };
  /** The commit that serves; undefined: there is none. */
  commit(): string | undefined;
  /** Who made a commit. Never rejects. */
  describe(commit: string): Promise<ReloadMark['by']>;
}

/** What this process has seen over the last hour and the last day, in memory: for charts, while metrics are for alerts. */
export class History {
  readonly startedAt: number;
  readonly #parts: HistoryParts;
  readonly #clock: { now(): number };
  readonly #rings = new Map<HistoryRange, (HistoryStep | undefined)[]>();
  readonly #reloads: ReloadMark[] = [];
  readonly #subscriptions: Subscriptions;
  readonly #sampling: NodeJS.Timeout;

  constructor(parts: HistoryParts) {
    this.#parts = parts;
    this.#clock = parts.clock ?? Date;
    this.startedAt = this.#clock.now();
    for (const range of ['1h', '24h'] as const) this.#rings.set(range, new Array(ranges[range].steps));
    this.#subscriptions = new Subscriptions(parts.gateway);
    this.#subscriptions.add(channels.request.decided, (request) => this.#decided(request));
    this.#subscriptions.add(channels.attempt.end, (attempt) => this.#attempted(attempt));
    this.#subscriptions.add(channels.run, (run) => this.#ended(run));
    this.#subscriptions.add(channels.reload, (reload) => this.#reloaded(reload));
    this.#sampling = setInterval(() => this.sample(), ranges['1h'].stepMs / 2).unref();
  }

  /** The steps of a range up to now, the earliest first; one in which nothing happened is empty. */
  steps(range: HistoryRange): readonly HistoryStep[] {
    this.sample();
    const { stepMs, steps } = ranges[range];
    const last = Math.floor(this.#clock.now() / stepMs);
    const first = Math.max(last - steps + 1, Math.floor(this.startedAt / stepMs));
    return Array.from(
      { length: last - first + 1 },
      (_, index) => this.#find(range, first + index) ?? empty((first + index) * stepMs),
    );
  }

  stepMs(range: HistoryRange): number {
    return ranges[range].stepMs;
  }

  /** The latest last. */
  get reloads(): readonly ReloadMark[] {
    return this.#reloads;
  }

  /** Notes how many runs wait and run. */
  sample(): void {
    const { queued, running } = this.#parts.load();
    this.#each((step) => {
      step.queued = queued;
      step.running = running;
    });
  }

  close(): void {
    clearInterval(this.#sampling);
    this.#subscriptions.close();
  }

  #decided({ outcome, status = 0 }: RequestMessage): void {
    if (outcome === undefined || outcome === 'handshake') return;
    const group = groupOf(outcome, status);
    this.#each((step) => {
      step.requests[group] += 1;
    });
  }

  #attempted({ durationMs, usage, cost }: AttemptMessage): void {
    const bound = durationBounds.findIndex((one) => (durationMs ?? 0) <= one);
    this.#each((step) => {
      const index = bound < 0 ? durationBounds.length : bound;
      step.attempts[index] = (step.attempts[index] ?? 0) + 1;
      step.inputTokens += usage?.inputTokens ?? 0;
      step.outputTokens += usage?.outputTokens ?? 0;
      if (cost === undefined || (step.cost.size >= mostCurrencies && !step.cost.has(cost.currency))) return;
      step.cost.set(cost.currency, (step.cost.get(cost.currency) ?? 0) + cost.amount);
    });
  }

  #ended({ state }: RunMessage): void {
    if (!(state in noRuns)) return;
    this.#each((step) => {
      step.runs[state as EndedState] += 1;
    });
  }

  #reloaded({ outcome, revision }: ReloadMessage): void {
    const gitCommit = outcome === 'accepted' ? this.#parts.commit() : undefined;
    const mark: ReloadMark = { at: this.#clock.now(), outcome, revision, gitCommit, by: undefined };
    this.#reloads.push(mark);
    if (this.#reloads.length > mostReloads) this.#reloads.shift();
    if (gitCommit === undefined) return;
    void this.#parts.describe(gitCommit).then((by) => {
      mark.by = by;
    });
  }

  #each(change: (step: HistoryStep) => void): void {
    const now = this.#clock.now();
    for (const [range, ring] of this.#rings) {
      const { stepMs, steps } = ranges[range];
      const number = Math.floor(now / stepMs);
      let step = ring[number % steps];
      if (step?.at !== number * stepMs) {
        step = empty(number * stepMs);
        ring[number % steps] = step;
      }
      change(step);
    }
  }

  #find(range: HistoryRange, number: number): HistoryStep | undefined {
    const { stepMs, steps } = ranges[range];
    const step = this.#rings.get(range)?.[number % steps];
    return step?.at === number * stepMs ? step : undefined;
  }
}

const noRequests = { accepted: 0, dropped: 0, duplicate: 0, limited: 0, refused: 0, failed: 0 };
const noRuns = { succeeded: 0, input_required: 0, failed: 0, cancelled: 0 };

function empty(at: number): HistoryStep {
  return {
    ...{ at, requests: { ...noRequests }, runs: { ...noRuns }, attempts: [], cost: new Map() },
    ...{ inputTokens: 0, outputTokens: 0, queued: 0, running: 0 },
  };
}

function groupOf(outcome: string, status: number): RequestGroup {
  switch (outcome) {
    case 'accepted':
    case 'duplicate':
      return outcome;
    case 'filtered':
    case 'filter_error':
      return 'dropped';
    case 'rate_limited':
      return 'limited';
    default:
      return status >= 500 ? 'failed' : 'refused';
  }
}
