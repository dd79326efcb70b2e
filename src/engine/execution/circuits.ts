import type { PluginLog } from '../../contract/index.ts';
import type { CircuitRule, RunOutcome, TriggerName } from '../types/index.ts';
import type { RunSlot } from './run-slot.ts';
import { longestTimerMs } from './timers.ts';

type CircuitState =
  /** Its last attempts have failed, but not yet as many as open it. */
  | { readonly kind: 'closed'; readonly failures: number }
  /** Nothing starts until the pause is over. */
  | { readonly kind: 'open'; readonly pauseMs: number; readonly since: number; readonly timer: NodeJS.Timeout }
  /** The next run is let through. */
  | { readonly kind: 'due' }
  /** A run was let through, and nothing else starts before its attempt has ended. */
  | { readonly kind: 'probing'; readonly run: RunSlot };

type Circuit = TriggerName & { readonly state: CircuitState };

export interface CircuitParts {
  readonly log: PluginLog;
  /** Undefined: the trigger has none. */
  ruleOf(name: TriggerName): CircuitRule | undefined;
  /** Runs of a lane may have a place again. */
  reopen(lane: string): void;
  /** Starts what has a place. */
  pump(): void;
}

/**
 * Holds the queues of triggers whose agents are down (circuit breaker). In memory: it starts closed. A trigger whose attempts
 * do not fail has no entry, and costs nothing.
 */
export class Circuits {
  readonly #parts: CircuitParts;
  /** By lane. */
  readonly #circuits = new Map<string, Circuit>();

  constructor(parts: CircuitParts) {
    this.#parts = parts;
  }

  /** Whether no circuit is open, nor has counted a failure. */
  get isEmpty(): boolean {
    return this.#circuits.size === 0;
  }

  /** Triggers whose queue is held, or of which one run is let through. */
  get open(): readonly TriggerName[] {
    const open = [...this.#circuits.values()].filter(({ state }) => state.kind !== 'closed');
    return open.map(({ project, trigger }) => ({ project, trigger }));
  }

  /** Whether no run of a lane may start now. */
  holds(lane: string): boolean {
    const kind = this.#circuits.get(lane)?.state.kind;
    return kind === 'open' || kind === 'probing';
  }

  /** A run has been given a place. */
  starts(run: RunSlot): void {
    const circuit = this.#circuits.get(run.lane);
    if (circuit?.state.kind === 'due') this.#enter(run.lane, circuit, { kind: 'probing', run });
  }

  /** A run has given its place away, perhaps without an outcome. */
  leaves(run: RunSlot): void {
    const circuit = this.#circuits.get(run.lane);
    if (circuit?.state.kind !== 'probing' || circuit.state.run !== run) return;
    this.#enter(run.lane, circuit, { kind: 'due' });
    this.#parts.reopen(run.lane);
  }

  /** An attempt has ended by itself. One that failed and may be retried shows that the agent is down. */
  ended(run: RunSlot, outcome: RunOutcome): void {
    const isTransient = outcome.kind === 'retry' || (outcome.kind === 'failed' && outcome.retryable);
    const known = this.#circuits.get(run.lane);
    if (known === undefined && !isTransient) return;
    const { project, trigger } = run.record;
    const circuit = known ?? { project, trigger, state: { kind: 'closed', failures: 0 } };
    const { state } = circuit;
    // Others were started before it opened: they say nothing about now.
    if (state.kind !== 'closed' && !(state.kind === 'probing' && state.run === run)) return;
    const rule = this.#parts.ruleOf(circuit);
    if (rule === undefined || !isTransient) {
      this.#close(run.lane, circuit);
      return;
    }
    const failures = state.kind === 'closed' ? state.failures + 1 : rule.failures;
    if (failures < rule.failures) this.#enter(run.lane, circuit, { kind: 'closed', failures });
    else this.#hold(run.lane, circuit, rule);
  }

  /** Rules may have changed. */
  reconsider(): void {
    for (const [lane, circuit] of this.#circuits) {
      const { state } = circuit;
      const rule = this.#parts.ruleOf(circuit);
      if (rule === undefined) this.#close(lane, circuit);
      else if (state.kind === 'open' && state.pauseMs !== rule.pauseMs) this.#pause(lane, circuit, rule, state.since);
    }
  }

  clear(): void {
    for (const { state } of this.#circuits.values()) if (state.kind === 'open') clearTimeout(state.timer);
  }

  #hold(lane: string, circuit: Circuit, rule: CircuitRule): void {
    const { project, trigger, state } = circuit;
    const { failures, pauseMs } = rule;
    const message =
      state.kind === 'probing'
        ? 'the agent of a trigger still fails; its queue is held for another pause'
        : 'the agent of a trigger fails; its queue is held';
    this.#parts.log.warn({ project, trigger, failures, pauseMs }, message);
    this.#pause(lane, circuit, rule, performance.now());
  }

  #pause(lane: string, circuit: Circuit, { pauseMs }: CircuitRule, since: number): void {
    if (circuit.state.kind === 'open') clearTimeout(circuit.state.timer);
    const leftMs = Math.max(since + pauseMs - performance.now(), 0);
    const timer = setTimeout(() => this.#letOneThrough(lane), Math.min(leftMs, longestTimerMs));
    this.#enter(lane, circuit, { kind: 'open', pauseMs, since, timer });
  }

  #letOneThrough(lane: string): void {
    const circuit = this.#circuits.get(lane);
    if (circuit?.state.kind !== 'open') return;
    this.#enter(lane, circuit, { kind: 'due' });
    this.#parts.reopen(lane);
    this.#parts.pump();
  }

  #close(lane: string, { project, trigger, state }: Circuit): void {
    this.#circuits.delete(lane);
    if (state.kind === 'closed') return;
    if (state.kind === 'open') clearTimeout(state.timer);
    this.#parts.log.info({ project, trigger }, 'the queue of a trigger is no longer held');
    this.#parts.reopen(lane);
  }

  #enter(lane: string, { project, trigger }: Circuit, state: CircuitState): void {
    this.#circuits.set(lane, { project, trigger, state });
  }
}
