import { setImmediate as nextTurn } from 'node:timers/promises';
import { isFinal, type JsonValue, type RunDelta, type RunPosition } from '../../contract/index.ts';
import { HealthCheck } from '../execution/storage-health.ts';
import { unmeteredMemory } from '../execution/unmetered-memory.ts';
import {
  type ActiveRun,
  type Cancellation,
  type Claim,
  type Engine,
  type EngineBroken,
  type EngineLoad,
  type EngineMemory,
  EngineUnavailable,
  type Executor,
  type Life,
  type LimitCharge,
  type LimitCounter,
  type NewRun,
  type NodeMembership,
  type NodeRecord,
  type Once,
  type RunProgress,
  type RunQuery,
  type RunRecord,
  type StorageHealth,
  type Submission,
  type TriggerName,
} from '../types/index.ts';
import { ClusterNode, type ClusterNodeParts } from './cluster-node.ts';
import type { SharedStore } from './shared-store.ts';

/** For how long a run is new, in milliseconds: an end within that time is remembered (`RunWaits`). */
const newMs = 1000;

/** An engine on one of several nodes that share a store: the store decides, and each node executes what it has taken. */
export class ClusterEngine implements Engine {
  readonly #store: SharedStore;
  readonly #node: ClusterNode;
  readonly #health: HealthCheck;
  #isStarted = false;
  #isClosing = false;
  #closed: Promise<void> | undefined;

  /** @param parts without memory, none is accounted for */
  constructor(parts: Omit<ClusterNodeParts, 'memory'> & { readonly memory?: EngineMemory | undefined }) {
    const { store, memory = unmeteredMemory } = parts;
    this.#store = store;
    this.#node = new ClusterNode({ ...parts, memory }, (runId, last) => this.#active(runId, last, performance.now()));
    const health = async () =>
      this.#node.membership.isOut ? 'this node cannot renew its lease in the store' : store.health();
    this.#health = new HealthCheck({ health });
  }

  async submit(run: NewRun, claim: Claim | undefined, limits: readonly LimitCharge[] = []): Promise<Submission> {
    if (this.#isClosing) return { kind: 'unavailable', reason: 'the gateway is stopping' };
    return this.#node.intake.submit(run, claim, limits);
  }

  async holder(claim: Once): Promise<string | undefined> {
    return this.#store.holder(claim);
  }

  async wait(runId: string, timeoutMs: number, signal?: AbortSignal): Promise<RunRecord | undefined> {
    const since = performance.now();
    const record = await this.#store.get(runId);
    if (record === undefined || isFinal(record.state)) return record;
    return this.#wait(record, timeoutMs - (performance.now() - since), signal);
  }

  async get(runId: string): Promise<RunRecord | undefined> {
    return this.#store.get(runId);
  }

  async progress(runId: string): Promise<RunProgress | undefined> {
    return this.#store.progress(runId);
  }

  active(runId: string): ActiveRun | undefined {
    const slot = this.#node.runs.undecided(runId);
    return slot && this.#active(runId, slot.record);
  }

  deltas(runId: string, after?: RunPosition, signal?: AbortSignal): AsyncIterable<RunDelta> {
    return this.#node.relay.read(runId, after, signal);
  }

  async list(query: RunQuery): Promise<readonly RunRecord[]> {
    return this.#store.list(query);
  }

  async limitCounters(limit: string, most: number): Promise<readonly LimitCounter[]> {
    return this.#store.limitCounters(limit, most);
  }

  async resetLimit(limit: string, value: string | undefined): Promise<number> {
    return this.#store.resetLimit(limit, value);
  }

  async cancel(runId: string): Promise<Cancellation> {
    const answer = await this.#store.cancel(runId);
    if (answer.kind !== 'cancelled') return answer;
    this.#node.cancelled({ runId, owner: answer.owner });
    return { kind: 'cancelled' };
  }

  async deliver(runId: string, completion: JsonValue): Promise<boolean> {
    return this.#node.completions.deliver(runId, completion);
  }

  async nodes(): Promise<readonly NodeRecord[]> {
    return this.#store.nodes();
  }

  get membership(): NodeMembership {
    const { nodes, remainingMs } = this.#node.membership;
    return { nodes: nodes.length, leaseMs: remainingMs };
  }

  get life(): Life | undefined {
    return this.#node.membership.life;
  }

  async start(executor: Executor): Promise<void> {
    if (this.#isStarted) throw new Error('the engine has already been started');
    if (this.#isClosing) return;
    this.#isStarted = true;
    this.#node.start(executor);
    try {
      await this.#node.membership.join();
    } catch (error) {
      // It joins when the store lets it.
      if (!EngineUnavailable.is(error)) throw error;
    }
  }

  reconsider(): void {
    this.#node.reconsider();
  }

  load(): EngineLoad {
    return { queued: this.#node.queued.value, running: this.#node.runs.size };
  }

  openCircuits(): readonly TriggerName[] {
    return this.#node.circuits.open;
  }

  async health(): Promise<StorageHealth> {
    return this.#health.health();
  }

  get broken(): Promise<EngineBroken> {
    return this.#store.broken;
  }

  close(drainMs: number): Promise<void> {
    this.#closed ??= this.#close(drainMs);
    return this.#closed;
  }

  /** What is queued is any node's already; what runs here may end, and is handed over at once if it does not in time. */
  async #close(drainMs: number): Promise<void> {
    this.#isClosing = true;
    const { runs } = this.#node;
    this.#node.stop();
    const idle = runs.idle(drainMs);
    // Then no end can be stored, so waiting for one is pointless.
    void this.#store.broken.then(() => runs.stopWaiting());
    await idle;
    await this.#node.close();
    // Callers that waited for a run are answered first, and what is recorded of their requests still finds the store open.
    await nextTurn();
    await this.#store.close();
  }

  /** @param acceptedAt by `performance.now()`, if it was accepted here */
  #active(runId: string, last: RunRecord, acceptedAt = -Infinity): ActiveRun {
    return {
      wait: (timeoutMs, signal) => this.#wait(last, timeoutMs, signal, performance.now() - acceptedAt < newMs),
      deltas: (after, signal) => this.deltas(runId, after, signal),
    };
  }

  /** @param last the record as it was known before */
  async #wait(last: RunRecord, timeoutMs: number, signal: AbortSignal | undefined, isNew = false): Promise<RunRecord> {
    const ended = await this.#node.waits.final(last.id, timeoutMs, signal, isNew);
    if (ended !== undefined) return ended;
    try {
      return (await this.#store.get(last.id)) ?? last;
    } catch (error) {
      // It was accepted, and is not known to have ended.
      if (this.#isClosing || EngineUnavailable.is(error)) return last;
      throw error;
    }
  }
}
