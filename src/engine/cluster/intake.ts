import type { PluginLog, TriggerInput } from '../../contract/index.ts';
import { maskRun } from '../execution/masking.ts';
import { queuedRecord } from '../execution/records.ts';
import type { WholeInputs } from '../execution/whole-inputs.ts';
import {
  type ActiveRun,
  type Claim,
  EngineUnavailable,
  type LimitCharge,
  type NewRun,
  type RunRecord,
  type Submission,
} from '../types/index.ts';
import type { LocalRuns } from './local-runs.ts';
import type { Membership } from './membership.ts';
import type { QueuedCount } from './queued-count.ts';
import type { Cancelled, SharedStore, SubmitAnswer } from './shared-store.ts';

/** How often the store is asked which of the runs are final whose whole inputs are kept here, in milliseconds. */
const sweepMs = 30_000;

/** A submission that the store has not answered. */
interface Pending {
  readonly run: NewRun;
  /** Whether the step that stores it, or another one, has started it here. */
  isStarted: boolean;
}

export interface IntakeParts {
  readonly store: Pick<SharedStore, 'submit' | 'finals'>;
  readonly log: PluginLog;
  readonly runs: LocalRuns;
  readonly membership: Pick<Membership, 'join'>;
  readonly whole: WholeInputs;
  readonly queued: QueuedCount;
  /** A run as its submitter sees it. @param last its record as it is known here */
  active(runId: string, last: RunRecord): ActiveRun;
  /** A run was accepted that this node has not started: another one may. */
  unstarted(): void;
  cancelled(cancelled: Cancelled): void;
}

/** Accepts runs. The store decides, and takes in the same step what may start here at once. */
export class Intake {
  readonly #parts: IntakeParts;
  readonly #pending = new Map<string, Pending>();
  #settled: PromiseWithResolvers<void> | undefined;
  #sweep: NodeJS.Timeout | undefined;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
  }

  async submit(run: NewRun, claim: Claim | undefined, limits: readonly LimitCharge[]): Promise<Submission> {
    const { store, runs, membership, whole } = this.#parts;
    const masked = maskRun(run);
    const isMasked = masked !== run;
    if (isMasked && !whole.hasRoom) {
      return { kind: 'unavailable', reason: 'too many bytes of masked input are queued' };
    }
    if (this.#pending.has(run.id)) throw new Error('a run with this id already exists');
    const pending: Pending = { run, isStarted: false };
    this.#pending.set(run.id, pending);
    runs.submissionBegins();
    try {
      const life = await membership.join();
      const answer = await store.submit(life, { run: masked, isMasked, value: run.concurrencyValue, claim, limits });
      return this.#answered(pending, masked, answer);
    } catch (error) {
      if (EngineUnavailable.is(error)) return { kind: 'unavailable', reason: error.message };
      throw error;
    } finally {
      this.#pending.delete(run.id);
      runs.submissionAnswered();
      if (this.#pending.size === 0) this.#settled?.resolve();
    }
  }

  /** What this node has of a run that it starts, and the store has not. */
  start(runId: string): { readonly submitted: NewRun | undefined; readonly wholeInput: TriggerInput | undefined } {
    const pending = this.#pending.get(runId);
    if (pending === undefined) this.#parts.queued.add(-1);
    else pending.isStarted = true;
    const { whole } = this.#parts;
    const wholeInput = whole.read(runId) ?? pending?.run.input;
    whole.drop(runId);
    return { submitted: pending?.run, wholeInput };
  }

  hasWhole(runId: string): boolean {
    return this.#pending.has(runId) || this.#parts.whole.has(runId);
  }

  /** Resolves when no submission is unanswered: a run may be taken before its submitter knows in which burst it is. */
  get settled(): Promise<void> | undefined {
    if (this.#pending.size === 0) return undefined;
    this.#settled ??= Promise.withResolvers();
    const { promise } = this.#settled;
    return promise.then(() => {
      this.#settled = undefined;
    });
  }

  /** Keeps the whole input of a run that waits for an attempt here. */
  keep(runId: string, input: TriggerInput): void {
    this.#parts.whole.keep(runId, input);
    this.#sweep ??= setInterval(() => void this.#dropFinal(), sweepMs).unref();
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  #answered({ run, isStarted }: Pending, masked: NewRun, answer: SubmitAnswer): Submission {
    if (answer.kind !== 'accepted') return answer;
    const { shadowed, burst, replaced } = answer;
    const runId = burst?.runId ?? run.id;
    if (!isStarted) {
      if (masked !== run) this.keep(runId, run.input);
      else if (runId !== run.id) this.#parts.whole.drop(runId);
      if (runId === run.id) this.#parts.queued.add(1);
      this.#parts.unstarted();
    }
    for (const cancelled of replaced) this.#parts.cancelled(cancelled);
    const record = queuedRecord(masked);
    return { kind: 'accepted', shadowed, burst, ...this.#parts.active(runId, { ...record, id: runId }) };
  }

  /** Runs that were cancelled at other nodes no longer need their inputs. */
  async #dropFinal(): Promise<void> {
    const { store, whole, log } = this.#parts;
    const { runIds } = whole;
    if (runIds.length === 0) return;
    try {
      for (const runId of (await store.finals(runIds)).keys()) whole.drop(runId);
    } catch (err) {
      log.warn({ err }, 'the store cannot say whether runs are final; asking again');
    }
  }
}
