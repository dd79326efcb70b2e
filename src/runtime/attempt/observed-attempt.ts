import { type AttemptMessage, channels, type ObservedGateway, type TraceContext } from '../../contract/index.ts';
import type { RunOutcome, RunRecord, RunRemains } from '../../engine/types/index.ts';
import { viewOfCost } from '../run-view.ts';

/** Why the engine drops the outcome of an attempt. */
export interface CutShort extends RunRemains {
  readonly kind: 'cancelled' | 'released';
}

/** Publishes how an attempt goes. */
export class ObservedAttempt {
  readonly #message: AttemptMessage;
  readonly #startedAt = performance.now();
  #firstDeltaMs: number | undefined;

  constructor(gateway: ObservedGateway, run: RunRecord, plugin: string, trace: TraceContext | undefined) {
    const {
      id: runId,
      project,
      trigger,
      caller,
      secret,
      requestId,
      sessionId,
      conversation,
      attempt,
      acceptedAt,
    } = run;
    this.#message = {
      ...{ gateway, runId, project, trigger, caller, secret, requestId, sessionId, conversation, attempt, plugin },
      trace,
      acceptedAt,
      startedAt: Date.now(),
      firstDeltaMs: undefined,
      result: undefined,
      failure: undefined,
      retryInMs: undefined,
      usage: undefined,
      cost: undefined,
      durationMs: undefined,
    };
    channels.attempt.start.publish(this.#message);
  }

  /** To be called for whatever the agent streams. */
  streamed(): void {
    this.#firstDeltaMs ??= performance.now() - this.#startedAt;
  }

  ended(outcome: RunOutcome | CutShort): void {
    const { kind, usage, cost } = outcome;
    const end: Partial<AttemptMessage> = {
      result: kind,
      ...((kind === 'failed' || kind === 'retry') && { failure: outcome.message }),
      ...(kind === 'retry' && { retryInMs: outcome.delayMs }),
      usage,
      cost: cost && viewOfCost(cost),
      firstDeltaMs: this.#firstDeltaMs,
      durationMs: performance.now() - this.#startedAt,
    };
    const message = Object.assign(this.#message, end);
    channels.attempt.decided.publish(message);
    channels.attempt.end.publish(message);
  }
}
