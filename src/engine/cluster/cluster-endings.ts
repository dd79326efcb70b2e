import { setTimeout as sleep } from 'node:timers/promises';
import type { PluginLog } from '../../contract/index.ts';
import type { AttemptEndings } from '../execution/attempt-runner.ts';
import { unexpectedFailure } from '../execution/failures.ts';
import { keepsDetails, type RetryOutcome, type RunEnd } from '../execution/run-endings.ts';
import type { RunSlot } from '../execution/run-slot.ts';
import { EngineUnavailable, type RunRecord } from '../types/index.ts';
import type { LocalRun, LocalRuns } from './local-runs.ts';
import type { Membership } from './membership.ts';
import type { AttemptAnswer, AttemptEnd, AttemptOperation, AttemptWrite, SharedStore } from './shared-store.ts';

/** Exponential backoff while the store is unavailable, in milliseconds. */
const backoffMs = { first: 100, most: 5000 };

export interface ClusterEndingsParts {
  readonly store: Pick<SharedStore, 'write'>;
  readonly log: PluginLog;
  readonly runs: LocalRuns;
  readonly membership: Pick<Membership, 'mayExecute'>;
  /** A run is final, and that is stored. */
  finished(record: RunRecord, slot: RunSlot): void;
  /** A run may soon wait for its next attempt: the store may let this node take it before it answers. */
  requeues(slot: RunSlot): void;
  /** A run waits for its next attempt, which any node may take. */
  requeued(slot: RunSlot, delayMs: number): void;
  /** The next run of a session may start. */
  freed(): void;
}

type Stored = Extract<AttemptAnswer, { kind: 'stored' }>;

/**
 * Stores what attempts leave behind, each with its number as its fence. An attempt that the store no longer has as running is
 * another node's, cancelled or final: it is aborted, and nothing of it counts.
 */
export class ClusterEndings implements AttemptEndings {
  readonly #parts: ClusterEndingsParts;

  constructor(parts: ClusterEndingsParts) {
    this.#parts = parts;
  }

  end(slot: RunSlot, end: RunEnd): void {
    this.#unattended(slot, (run) => this.#end(run, end));
  }

  retry(slot: RunSlot, outcome: RetryOutcome, memory: string | undefined): void {
    this.#unattended(slot, (run) => this.#retry(run, outcome, memory));
  }

  /** Stores what an attempt writes before its end. One that is lost is aborted, and then nothing has been written. */
  async note(runId: string, write: (attempt: number) => AttemptWrite): Promise<void> {
    const run = this.#parts.runs.get(runId);
    if (run === undefined) return;
    const answer = await this.#parts.store.write(run.life, write(run.slot.record.attempt));
    if (answer.kind === 'lost') this.#parts.runs.release(run.slot);
  }

  async #end(run: LocalRun, { state, output, failure, failureDetail, memory }: RunEnd): Promise<void> {
    const { slot } = run;
    const { id: runId, attempt, usage, cost } = slot.record;
    slot.enter('ending');
    slot.memory.addOutput(output);
    const said = keepsDetails(slot) ? failureDetail : undefined;
    let end = { state, output, failure, failureDetail: said };
    const operation = (): AttemptOperation => {
      const text = end.output === undefined ? undefined : JSON.stringify(end.output);
      const made: AttemptEnd = { ...end, runId, attempt, output: text, memory, usage, cost };
      return { kind: 'end', end: made };
    };
    let answer: Stored | undefined;
    try {
      answer = await this.#persist(run, operation());
    } catch (err) {
      // A plugin in plain JavaScript may return a value that cannot be serialized, such as a BigInt.
      this.#parts.log.error({ err, runId }, 'the result of a run cannot be stored; failing the run');
      const { message, retryable } = unexpectedFailure;
      end = { state: 'failed', output: undefined, failure: { message, retryable }, failureDetail: undefined };
      answer = await this.#persist(run, operation());
    }
    if (answer === undefined) return;
    slot.record = { ...slot.record, ...end, finishedAt: answer.at, retryAt: undefined };
    this.#parts.runs.remove(slot);
    this.#parts.finished(slot.record, slot);
    if (answer.hasFreed) this.#parts.freed();
  }

  async #retry(run: LocalRun, { message, delayMs, detail }: RetryOutcome, memory: string | undefined): Promise<void> {
    const { slot } = run;
    const { id: runId, attempt, acceptedAt, startedAt = acceptedAt, usage, cost } = slot.record;
    slot.enter('ending');
    const said = detail !== undefined && keepsDetails(slot) && { detail };
    const failed = { attempt, startedAt, message, ...said };
    const retry = { runId, attempt, failed, delayMs, memory, usage, cost };
    this.#parts.requeues(slot);
    const answer = await this.#persist(run, { kind: 'retry', retry });
    if (answer === undefined) return;
    this.#parts.runs.remove(slot);
    this.#parts.requeued(slot, delayMs);
    if (answer.hasFreed) this.#parts.freed();
  }

  /** Writes until the store answers; undefined if the attempt is lost. Rejects with any error but `EngineUnavailable`. */
  async #persist({ slot, life }: LocalRun, operation: AttemptOperation): Promise<Stored | undefined> {
    const { store, log, runs, membership } = this.#parts;
    for (let delayMs = backoffMs.first; ; delayMs = Math.min(delayMs * 2, backoffMs.most)) {
      // A process that was stopped for a while finds here that its lease is over, which releases the attempt.
      if (!membership.mayExecute(life)) runs.release(slot);
      if (!runs.has(slot)) return undefined;
      try {
        const answer = await store.write(life, operation);
        if (answer.kind === 'stored') return answer;
        runs.release(slot);
        return undefined;
      } catch (err) {
        if (!EngineUnavailable.is(err)) throw err;
        const { id: runId, requestId } = slot.record;
        log.error({ err, runId, requestId }, 'the outcome of a run could not be stored; retrying');
      }
      await sleep(delayMs);
    }
  }

  /** What goes wrong here is a bug or a fault of the store: another attempt follows once this node's lease has ended. */
  #unattended(slot: RunSlot, work: (run: LocalRun) => Promise<void>): void {
    const { runs, log } = this.#parts;
    const run = runs.get(slot.record.id);
    if (run?.slot !== slot) return;
    work(run).catch((err) => {
      const { id: runId, requestId } = slot.record;
      log.error({ err, runId, requestId }, 'the outcome of a run could not be stored');
      runs.release(slot);
    });
  }
}
