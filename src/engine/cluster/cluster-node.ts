import type { PluginLog } from '../../contract/index.ts';
import { Circuits } from '../execution/circuits.ts';
import type { RunSlot } from '../execution/run-slot.ts';
import { WholeInputs } from '../execution/whole-inputs.ts';
import type { ActiveRun, EngineMemory, Executor, Life, NodeInfo, RunRecord } from '../types/index.ts';
import { ClusterEndings } from './cluster-endings.ts';
import { ClusterExecution } from './cluster-execution.ts';
import { ClusterNotifications } from './cluster-notifications.ts';
import { Completions } from './completions.ts';
import { DoneHints } from './done-hints.ts';
import { Intake } from './intake.ts';
import { LocalRuns } from './local-runs.ts';
import { Membership } from './membership.ts';
import { type Message, parseMessage } from './messages.ts';
import { Orphans } from './orphans.ts';
import { Places } from './places.ts';
import { QueuedCount } from './queued-count.ts';
import { Relay } from './relay.ts';
import { RelayFeeds } from './relay-feeds.ts';
import { Rules } from './rules.ts';
import { RunWaits } from './run-waits.ts';
import type { Beat, Cancelled, Hint, SharedStore } from './shared-store.ts';
import { Streams } from './streams.ts';
import { Taker } from './taker.ts';

export interface ClusterOptions {
  /** How many runs may be running at once on this node. */
  readonly concurrency: number;
  /** For how long the others wait for a node that does not renew its lease. */
  readonly leaseMs: number;
  /** What attempts do when the store cannot be reached for as long as the lease. */
  readonly onPartition: 'abort' | 'continue';
}

export interface ClusterNodeParts {
  readonly store: SharedStore;
  readonly options: ClusterOptions;
  readonly log: PluginLog;
  readonly memory: EngineMemory;
  readonly node: Pick<NodeInfo, 'name' | 'version'>;
}

/** What exists once the engine executes runs. */
interface Started {
  readonly executor: Executor;
  readonly taker: Taker;
  readonly execution: ClusterExecution;
  readonly notifications: ClusterNotifications | undefined;
}

/** The parts of one node, and what each hears of the others. README.md shows how they relate. */
export class ClusterNode {
  readonly membership: Membership;
  readonly runs: LocalRuns;
  readonly waits: RunWaits;
  readonly relay: Relay;
  readonly intake: Intake;
  readonly circuits: Circuits;
  readonly queued = new QueuedCount();
  readonly completions: Completions;
  readonly #parts: ClusterNodeParts;
  readonly #streams: Streams;
  readonly #feeds: RelayFeeds;
  readonly #endings: ClusterEndings;
  readonly #done: DoneHints;
  readonly #whole = new WholeInputs();
  readonly #places: Places;
  readonly #orphans: Orphans;
  #started: Started | undefined;
  #hasHeardOthers = false;
  #isReadyHinted = false;
  #isStopped = false;

  constructor(parts: ClusterNodeParts, active: (runId: string, last: RunRecord) => ActiveRun) {
    this.#parts = parts;
    const { store, options, log, memory } = parts;
    this.runs = new LocalRuns({ left: (slot) => this.#left(slot), released: (slot) => this.#released(slot) });
    const { runs } = this;
    const isLocal = (runId: string) => runs.get(runId) !== undefined;
    const send = (life: Life, message: Message) => this.#send(life, message);
    this.membership = new Membership({
      ...{ store, log, leaseMs: options.leaseMs, onPartition: options.onPartition },
      info: () => this.#info(),
      begun: (life) => this.#begun(life),
      ended: (life) => void runs.releaseAll((run) => run.life === life),
      beaten: (beat, sentAt) => this.#beaten(beat, sentAt),
      failed: (runIds) => this.#report(runIds),
    });
    const { membership } = this;
    this.circuits = new Circuits({
      log,
      ruleOf: ({ project, trigger }) => this.#started?.executor.circuitOf?.(project, trigger),
      reopen() {},
      pump: () => this.#started?.taker.take(),
    });
    const { circuits } = this;
    this.waits = new RunWaits({ store, log, isLocal });
    this.#streams = new Streams(memory, isLocal);
    this.#feeds = new RelayFeeds({ streams: this.#streams, life: () => membership.life, send });
    this.relay = new Relay({
      ...{ store, log, runs, membership, send },
      ...{ streams: this.#streams, waits: this.waits, feeds: this.#feeds },
    });
    this.#done = new DoneHints(store, () => this.#isAlone());
    this.#places = new Places({ concurrency: options.concurrency, runs, circuits });
    this.#orphans = new Orphans({ store, log, runs, places: this.#places });
    this.#endings = new ClusterEndings({
      ...{ store, log, runs, membership },
      finished: (record, slot) => this.#finished(record, slot),
      requeues: ({ record, wholeInput }) => {
        if (wholeInput !== undefined) this.intake.keep(record.id, wholeInput);
      },
      requeued: (slot, delayMs) => this.#requeued(slot, delayMs),
      freed: () => this.#ready(),
    });
    this.intake = new Intake({
      ...{ store, log, runs, membership, active, whole: this.#whole, queued: this.queued },
      unstarted: () => this.#hintReady(),
      cancelled: (cancelled) => this.cancelled(cancelled),
    });
    const executor = () => this.#started?.executor;
    this.completions = new Completions({ store, log, runs, membership, send, executor });
  }

  /** Runs are executed from now on. */
  start(executor: Executor): void {
    const { store, log, memory } = this.#parts;
    const { runs, membership, intake, circuits, completions } = this;
    const execution = new ClusterExecution(
      {
        ...{ log, memory, runs, intake, circuits, membership, completions },
        ...{ endings: this.#endings, streams: this.#streams },
      },
      executor,
    );
    const taker = new Taker({
      ...{ store, log, membership, places: this.#places, rules: new Rules(executor) },
      isAlone: () => this.#isAlone(),
      isCrowded: () => execution.isCrowded,
      begin: (run, life) => execution.begin(run, life),
    });
    const notify = executor.notify?.bind(executor);
    const notifications =
      notify &&
      new ClusterNotifications(
        { store, log, membership, isForOthers: (run) => this.#isForOthers(run, executor) },
        notify,
      );
    this.#started = { executor, taker, execution, notifications };
    taker.take();
    notifications?.look();
  }

  /** A trigger that is new, or that was removed, is known to some of the nodes only while a change is rolled out. */
  #isForOthers({ project, trigger }: RunRecord, executor: Executor): boolean {
    if (executor.serves?.(project, trigger) ?? true) return false;
    const { nodes, life } = this.membership;
    const revision = executor.describe?.().revision;
    return nodes.some((node) => node.life !== life && node.revision !== revision);
  }

  /** What the executor says may have changed. */
  reconsider(): void {
    if (this.#started === undefined) return;
    this.circuits.reconsider();
    void this.#started.taker.reconsider();
    this.membership.beatSoon();
  }

  /** Nothing is taken from now on. */
  stop(): void {
    this.#isStopped = true;
    this.#started?.taker.stop();
  }

  /** Hands over what still runs, answers everyone who waits, and leaves. */
  async close(): Promise<void> {
    this.runs.releaseAll();
    this.circuits.clear();
    this.completions.close();
    this.intake.close();
    this.waits.close();
    this.relay.close();
    this.#streams.close();
    this.#feeds.close();
    await this.#started?.notifications?.close();
    await this.membership.leave();
  }

  /** A run has been cancelled, wherever it was executed. */
  cancelled({ runId, owner }: Cancelled): void {
    const { membership } = this;
    if (owner === undefined) this.queued.add(-1);
    this.#aborted(runId);
    void this.#report([runId]);
    if (owner !== undefined && owner !== membership.life) {
      this.#send(owner, { kind: 'cancel', run: runId });
    }
    this.#done.add(runId);
    this.#started?.notifications?.look();
    this.#ready();
  }

  #send(life: Life, message: Message): void {
    this.#parts.store.send(life, JSON.stringify(message));
  }

  #aborted(runId: string): void {
    const slot = this.runs.undecided(runId);
    if (slot !== undefined) this.runs.abort(slot);
    this.#whole.drop(runId);
    this.waits.look([runId]);
    if (this.runs.get(runId) === undefined && !this.#streams.isRelayed(runId)) this.#streams.end(runId);
  }

  #info(): NodeInfo {
    const served = this.#started?.executor.describe?.();
    const { revision = '', commit, isDirty = false, keyDigest = '' } = served ?? {};
    return { ...this.#parts.node, revision, commit, isDirty, keyDigest, running: this.runs.size };
  }

  #begun(life: Life): void {
    const { store } = this.#parts;
    store.attach(life, {
      want: (most) => (this.membership.life === life ? this.#started?.taker.want(most) : undefined),
      taken: (want, taking) => this.#started?.taker.taken(life, want, taking),
      hint: (hint) => this.#heard(hint),
    });
    // Others learn that they are not alone.
    store.hint({ kind: 'ready' });
    this.membership.beatSoon();
    this.waits.lookAtAll();
    this.relay.refresh();
    this.#started?.taker.take();
    this.#started?.notifications?.look();
  }

  #beaten(beat: Beat & { kind: 'alive' }, sentAt: number): void {
    this.#hasHeardOthers = false;
    this.queued.set(beat.queued);
    this.#started?.executor.onNodes?.(beat.nodes);
    const owned = new Set(beat.owned);
    const lost = this.runs.releaseAll(
      ({ slot, takenAt }) => takenAt < sentAt && !slot.isDecided && !owned.has(slot.record.id),
    );
    this.waits.look(lost);
    const { life } = this.membership;
    if (life !== undefined) this.#orphans.check(life, beat.owned, sentAt);
    this.completions.look();
    if (!beat.hasBuried) return;
    this.#started?.taker.take();
    this.relay.refresh();
  }

  #heard(hint: Hint): void {
    this.#hasHeardOthers = true;
    switch (hint.kind) {
      case 'ready':
        this.#started?.taker.take();
        break;
      case 'done':
        this.waits.heard(hint.runIds);
        break;
      case 'missed':
        this.waits.lookAtAll();
        this.relay.refresh();
        this.completions.look();
        this.#started?.taker.take();
        break;
      case 'message': {
        const message = parseMessage(hint.text);
        if (message !== undefined) this.#received(message);
      }
    }
  }

  #received(message: Message): void {
    switch (message.kind) {
      case 'cancel':
        this.#aborted(message.run);
        break;
      case 'follow':
        this.#feeds.follow(message);
        break;
      case 'unfollow':
        this.#feeds.unfollow(message);
        break;
      case 'delta':
      case 'over':
        this.relay.received(message);
        break;
      case 'completion':
        this.completions.look();
    }
  }

  #left(slot: RunSlot): void {
    const runId = slot.record.id;
    this.circuits.leaves(slot);
    this.#streams.left(runId);
    // What waits has a place now; without this, polling finds it.
    if (this.queued.value > 0 && !this.#isStopped) this.#started?.taker.take();
  }

  #released({ record }: RunSlot): void {
    this.relay.left(record.id);
  }

  #finished(record: RunRecord, { policy }: RunSlot): void {
    this.waits.settle(record.id, record);
    this.#streams.end(record.id);
    this.#done.add(record.id);
    if (policy.notify) this.#started?.notifications?.look();
    this.#started?.executor.ended?.(record);
  }

  /** Runs have become final by steps of this node that do not return their records. */
  async #report(runIds: readonly string[]): Promise<void> {
    const { executor } = this.#started ?? {};
    if (runIds.length === 0 || executor?.ended === undefined) return;
    const { store, log } = this.#parts;
    try {
      for (const record of (await store.finals(runIds)).values()) if (record !== undefined) executor.ended(record);
    } catch (err) {
      log.warn({ err, runIds }, 'runs have ended, and the store cannot say how: they are not counted');
    }
  }

  #requeued({ record }: RunSlot, delayMs: number): void {
    this.queued.add(1);
    this.relay.left(record.id);
    this.#started?.taker.takeIn(delayMs);
  }

  /** Something may start, here or elsewhere. */
  #ready(): void {
    this.#started?.taker.take();
    if (this.#places.free === 0 || this.#isStopped) this.#hintReady();
  }

  /** One hint for all of a turn. */
  #hintReady(): void {
    if (this.#isReadyHinted || this.#isAlone()) return;
    this.#isReadyHinted = true;
    setImmediate(() => {
      this.#isReadyHinted = false;
      this.#parts.store.hint({ kind: 'ready' });
    });
  }

  #isAlone(): boolean {
    return this.membership.nodes.length === 1 && !this.#hasHeardOthers;
  }
}
