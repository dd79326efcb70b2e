import { LRUCache } from 'lru-cache';
import {
  type AttemptMessage,
  type CallbackMessage,
  type CommitMessage,
  channels,
  type ObservedGateway,
  type ReloadMessage,
  type RequestMessage,
  type RunMessage,
  type TraceContext,
} from '../contract/index.ts';
import { buckets } from './buckets.ts';
import { Histogram } from './histogram.ts';
import { Histograms } from './histograms.ts';
import { Subscriptions } from './subscriptions.ts';

/** Bounds the memory: over months of reloads, totals of triggers that no longer have runs are evicted. */
const mostTotals = 10_000;

/** The runs of a trigger that have ended since the start. */
export interface RunTotals {
  readonly project: string;
  readonly trigger: string;
  readonly states: Record<FinalState, number>;
  /** Attempts that were followed by another one. */
  retries: number;
  /** From acceptance to end, all runs together, in seconds. */
  seconds: number;
}

type FinalState = 'succeeded' | 'input_required' | 'failed' | 'cancelled';

/** The attempts to send callbacks of a trigger, by how they ended. */
export interface CallbackTotals {
  readonly project: string;
  readonly trigger: string;
  readonly results: Record<Exclude<CallbackMessage['result'], 'released' | undefined>, number>;
}

/**
 * Measures what the gateway publishes, for metrics. Labels come from config and code, never from a caller, and their number is
 * bounded.
 */
export class Measurements {
  readonly requests = new Histograms(['outcome'], buckets.request);
  readonly queue = new Histogram(buckets.queue);
  readonly attempts = new Histograms(['plugin', 'result'], buckets.attempt);
  readonly firstDeltas = new Histograms(['plugin'], buckets.firstDelta);
  readonly callbacks = new Histograms(['result'], buckets.callback);
  readonly commits = new Histogram(buckets.commit);
  readonly commitOperations = new Histogram(buckets.operations);
  /** When the config was last loaded, milliseconds since the epoch. */
  reloadedAt = Date.now();
  readonly #runs = new LRUCache<string, RunTotals>({ max: mostTotals });
  readonly #callbackTotals = new LRUCache<string, CallbackTotals>({ max: mostTotals });
  readonly #subscriptions: Subscriptions;

  constructor(gateway: ObservedGateway) {
    this.#subscriptions = new Subscriptions(gateway);
    this.#subscriptions.add(channels.request.end, (request) => this.#requestEnded(request));
    this.#subscriptions.add(channels.attempt.start, (attempt) => this.#attemptStarted(attempt));
    this.#subscriptions.add(channels.attempt.end, (attempt) => this.#attemptEnded(attempt));
    this.#subscriptions.add(channels.callback.end, (callback) => this.#callbackEnded(callback));
    this.#subscriptions.add(channels.run, (run) => this.#runEnded(run));
    this.#subscriptions.add(channels.reload, (reload) => this.#reloaded(reload));
    this.#subscriptions.add(channels.commit, (commit) => this.#committed(commit));
  }

  close(): void {
    this.#subscriptions.close();
  }

  runs(): Iterable<RunTotals> {
    return this.#runs.values();
  }

  callbackTotals(): Iterable<CallbackTotals> {
    return this.#callbackTotals.values();
  }

  #requestEnded({ outcome, durationMs = 0, trace }: RequestMessage): void {
    // Reads of runs and completions are not measured.
    if (outcome !== undefined) this.requests.of(outcome).observe(durationMs / 1000, sampled(trace));
  }

  #attemptStarted({ attempt, acceptedAt, startedAt }: AttemptMessage): void {
    if (attempt === 1) this.queue.observe(Math.max(startedAt - acceptedAt, 0) / 1000);
  }

  #attemptEnded(message: AttemptMessage): void {
    const { plugin, result = 'failed', durationMs = 0, firstDeltaMs, trace } = message;
    this.attempts.of(plugin, result).observe(durationMs / 1000, sampled(trace));
    if (firstDeltaMs !== undefined) this.firstDeltas.of(plugin).observe(firstDeltaMs / 1000);
    if (result === 'retry') this.#totalsOf(message).retries += 1;
  }

  #callbackEnded({ project, trigger, result = 'failed', durationMs = 0 }: CallbackMessage): void {
    // It is sent again, as if this attempt had not been.
    if (result === 'released') return;
    this.callbacks.of(result).observe(durationMs / 1000);
    const key = `${project}/${trigger}`;
    let totals = this.#callbackTotals.get(key);
    if (totals === undefined) {
      totals = { project, trigger, results: { delivered: 0, failed: 0, gone: 0, given_up: 0 } };
      this.#callbackTotals.set(key, totals);
    }
    totals.results[result] += 1;
  }

  #runEnded(run: RunMessage): void {
    const { state, acceptedAt, finishedAt } = run;
    if (state === 'queued' || state === 'running') return;
    const totals = this.#totalsOf(run);
    totals.states[state] += 1;
    totals.seconds += Math.max(finishedAt - acceptedAt, 0) / 1000;
  }

  #reloaded({ outcome }: ReloadMessage): void {
    if (outcome === 'accepted' || outcome === 'reverted') this.reloadedAt = Date.now();
  }

  #committed({ operations, durationMs }: CommitMessage): void {
    this.commits.observe(durationMs / 1000);
    this.commitOperations.observe(operations);
  }

  #totalsOf({ project, trigger }: { readonly project: string; readonly trigger: string }): RunTotals {
    const key = `${project}/${trigger}`;
    const known = this.#runs.get(key);
    if (known !== undefined) return known;
    const states = { succeeded: 0, input_required: 0, failed: 0, cancelled: 0 };
    const added: RunTotals = { project, trigger, states, retries: 0, seconds: 0 };
    this.#runs.set(key, added);
    return added;
  }
}

function sampled(trace: TraceContext | undefined): string | undefined {
  return trace?.sampled ? trace.traceId : undefined;
}
