import { isFinal, type MaybePromise, type PluginLog, type RunDelta, type RunPosition } from '../../contract/index.ts';
import type {
  ActiveRun,
  Cancellation,
  Claim,
  Engine,
  EngineBroken,
  EngineLoad,
  EngineMemory,
  Executor,
  LimitCharge,
  LimitCounter,
  NewRun,
  Once,
  RunProgress,
  RunQuery,
  RunRecord,
  StorageHealth,
  Submission,
  TriggerName,
} from '../types/index.ts';
import { AttemptRunner } from './attempt-runner.ts';
import { type ClosingParts, closeExecution } from './closing.ts';
import { Dispatcher } from './dispatcher.ts';
import { EndWriter } from './end-writer.ts';
import { Notifications } from './notifications.ts';
import { type ResumeParts, resumeRuns } from './resume.ts';
import { RunEndings } from './run-endings.ts';
import { RunSlots } from './run-slots.ts';
import { HealthCheck } from './storage-health.ts';
import type { Store } from './store.ts';
import { Submissions } from './submissions.ts';
import { SuspectWatch } from './suspect-watch.ts';
import type { Clock } from './timers.ts';
import { unmeteredMemory } from './unmetered-memory.ts';

export interface ExecutionOptions {
  /** How many runs may be running at once. */
  readonly concurrency: number;
  /** How many may wait for a place; more are refused. */
  readonly maxQueued: number;
  /** After how many deaths of its process a run fails; undefined for a store that forgets everything then. */
  readonly maxInterruptions?: number;
}

export interface ExecutionParts {
  readonly store: Store;
  readonly options: ExecutionOptions;
  readonly clock: Clock;
  readonly log: PluginLog;
  /** Whether runs outlive the engine. If not, those that have not ended are failed when it closes. */
  readonly isDurable: boolean;
  /** Without it, no memory is accounted for. */
  readonly memory?: EngineMemory | undefined;
}

type ExecutionRooms = ClosingParts & ResumeParts & { readonly clock: Clock };

/** An engine over a store: whatever a caller learns of a run was stored before. README.md shows how its parts relate. */
export class ExecutionEngine implements Engine {
  readonly #parts: ExecutionRooms;
  readonly #submissions: Submissions;
  readonly #health: HealthCheck;
  #executor: Executor | undefined;
  #isStarted = false;
  #closed: Promise<void> | undefined;

  constructor({ store, options, clock, log, isDurable, memory = unmeteredMemory }: ExecutionParts) {
    const { concurrency, maxQueued, maxInterruptions = Infinity } = options;
    const slots = new RunSlots();
    const dispatcher = new Dispatcher({ store, clock, log, concurrency });
    const notifications = new Notifications(store, clock, log);
    const writer = new EndWriter(store, log);
    const ended = (run: RunRecord) => this.#executor?.ended?.(run);
    const endings = new RunEndings({ store, clock, log, slots, dispatcher, writer, notifications, ended });
    const shared = { store, clock, log, slots, dispatcher, endings, memory };
    this.#parts = { ...shared, isDurable, notifications, writer, maxInterruptions };
    this.#health = new HealthCheck(store);
    this.#submissions = new Submissions({ ...shared, maxQueued });
  }

  submit(run: NewRun, claim: Claim | undefined, limits: readonly LimitCharge[] = []): MaybePromise<Submission> {
    if (this.#parts.dispatcher.isStopped) return { kind: 'unavailable', reason: 'the gateway is stopping' };
    return this.#submissions.submit(run, claim, limits);
  }

  async holder(claim: Once): Promise<string | undefined> {
    return this.#parts.store.holder(claim);
  }

  async wait(runId: string, timeoutMs: number, signal?: AbortSignal): Promise<RunRecord | undefined> {
    const { store, slots, endings } = this.#parts;
    const slot = slots.get(runId);
    return slot === undefined ? store.get(runId) : endings.wait(slot, timeoutMs, signal);
  }

  async get(runId: string): Promise<RunRecord | undefined> {
    const { store, slots } = this.#parts;
    const slot = slots.get(runId);
    if (slot?.isDecided === false && slot.record.input !== undefined) return slot.record;
    const stored = await store.get(runId);
    // Once the end is decided, only the store knows whether it is stored. Before, it alone has the input of a run that waits.
    return slot === undefined || slot.isDecided
      ? stored
      : stored && { ...slot.record, input: stored.input, origin: stored.origin };
  }

  async progress(runId: string): Promise<RunProgress | undefined> {
    return this.#parts.store.progress(runId);
  }

  active(runId: string): ActiveRun | undefined {
    const slot = this.#parts.slots.get(runId);
    return slot && this.#submissions.active(slot);
  }

  deltas(runId: string, after?: RunPosition, signal?: AbortSignal): AsyncIterable<RunDelta> {
    return this.#parts.slots.get(runId)?.deltas(after, signal) ?? nothing();
  }

  async list(query: RunQuery): Promise<readonly RunRecord[]> {
    return this.#parts.store.list(query);
  }

  async limitCounters(limit: string, most: number): Promise<readonly LimitCounter[]> {
    return this.#parts.store.limitCounters(limit, most);
  }

  async resetLimit(limit: string, value: string | undefined): Promise<number> {
    return this.#parts.store.resetLimit(limit, value);
  }

  reconsider(): void {
    this.#parts.dispatcher.reconsider();
  }

  load(): EngineLoad {
    const { queued, running } = this.#parts.dispatcher;
    return { queued, running };
  }

  openCircuits(): readonly TriggerName[] {
    return this.#parts.dispatcher.openCircuits;
  }

  async health(): Promise<StorageHealth> {
    return this.#health.health();
  }

  get broken(): Promise<EngineBroken> {
    return this.#parts.store.broken;
  }

  async cancel(runId: string): Promise<Cancellation> {
    const { store, clock, slots, endings } = this.#parts;
    const slot = slots.get(runId);
    if (slot !== undefined && !slot.isDecided) {
      const { controller } = slot;
      const stored = endings.ended(slot, { state: 'cancelled' });
      controller?.abort();
      store.hurry();
      await stored;
      return { kind: 'cancelled' };
    }
    if (slot !== undefined) store.hurry();
    await slot?.stored;
    const record = slot?.record ?? (await store.get(runId));
    if (record === undefined) return { kind: 'not_found' };
    if (isFinal(record.state)) return { kind: 'already_final', state: record.state };
    // An earlier process left it, and this engine has not been started.
    const { usage, cost } = record;
    const stored = store.end({ ...noResult, id: runId, state: 'cancelled', finishedAt: clock.now(), usage, cost });
    store.hurry();
    await stored;
    return { kind: 'cancelled' };
  }

  async start(executor: Executor): Promise<void> {
    const { store, dispatcher, notifications } = this.#parts;
    if (this.#isStarted) throw new Error('the engine has already been started');
    if (dispatcher.isStopped) return;
    const unsent = await store.pendingNotifications();
    const pending = await store.resume();
    this.#isStarted = true;
    this.#executor = executor;
    const attempts = new AttemptRunner({ ...this.#parts, suspects: new SuspectWatch(this.#parts) }, executor);
    dispatcher.enable(executor, (slot, start, attempt) => attempts.execute(slot, start, attempt));
    resumeRuns(pending, this.#parts);
    if (executor.notify !== undefined) {
      notifications.start((run, attempt, signal) => executor.notify?.(run, attempt, signal));
      for (const notification of unsent) notifications.add(notification);
    }
    dispatcher.pump();
  }

  close(drainMs: number): Promise<void> {
    this.#closed ??= closeExecution(this.#parts, drainMs, this.#isStarted);
    return this.#closed;
  }
}

const noResult = {
  output: undefined,
  failure: undefined,
  failureDetail: undefined,
  memory: undefined,
};

async function* nothing(): AsyncGenerator<never> {}
