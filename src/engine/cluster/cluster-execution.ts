import type { PluginLog } from '../../contract/index.ts';
import { AttemptRunner } from '../execution/attempt-runner.ts';
import type { Circuits } from '../execution/circuits.ts';
import { maskedInput } from '../execution/failures.ts';
import { RunMemory } from '../execution/run-memory.ts';
import { RunSlot } from '../execution/run-slot.ts';
import { SuspectWatch } from '../execution/suspect-watch.ts';
import type { EngineMemory, Executor, Life } from '../types/index.ts';
import type { ClusterEndings } from './cluster-endings.ts';
import type { Completions } from './completions.ts';
import type { Intake } from './intake.ts';
import type { LocalRuns } from './local-runs.ts';
import type { Membership } from './membership.ts';
import type { TakenRun } from './shared-store.ts';
import type { Streams } from './streams.ts';

export interface ClusterExecutionParts {
  readonly log: PluginLog;
  readonly memory: EngineMemory;
  readonly runs: LocalRuns;
  readonly intake: Intake;
  readonly endings: ClusterEndings;
  readonly streams: Streams;
  readonly circuits: Circuits;
  readonly completions: Completions;
  readonly membership: Pick<Membership, 'life'>;
}

/** Executes the runs that this node has taken. */
export class ClusterExecution {
  readonly #parts: ClusterExecutionParts;
  readonly #attempts: AttemptRunner;
  #crowded = 0;

  constructor(parts: ClusterExecutionParts, executor: Executor) {
    this.#parts = parts;
    const { endings, circuits, runs, log } = parts;
    const store = {
      save: (id: string, checkpoint: string) =>
        endings.note(id, (attempt) => ({ kind: 'save', runId: id, attempt, checkpoint })),
      remember: (id: string, memory: string) =>
        endings.note(id, (attempt) => ({ kind: 'remember', runId: id, attempt, memory })),
      trust: (id: string) => endings.note(id, (attempt) => ({ kind: 'trust', runId: id, attempt })),
    };
    // The store lets the next one start when this one has ended or is trusted permanently.
    const trust = () => {};
    const suspects = new SuspectWatch({ store, dispatcher: { trust }, log });
    this.#attempts = new AttemptRunner(
      {
        store,
        slots: runs,
        endings,
        suspects,
        dispatcher: { attemptEnded: (slot, outcome) => circuits.ended(slot, outcome) },
      },
      executor,
    );
  }

  /** Whether runs that were taken wait for memory: then no others are. */
  get isCrowded(): boolean {
    return this.#crowded > 0;
  }

  /** Executes a run that a life has taken. */
  begin(taken: TakenRun, life: Life): void {
    const { record, policy, isMasked } = taken;
    const { runs, intake, endings, streams, circuits, memory } = this.#parts;
    const undecided = isMasked && !intake.hasWhole(record.id) ? intake.settled : undefined;
    if (undecided !== undefined) {
      void undecided.then(() => this.begin(taken, life));
      return;
    }
    const { submitted, wholeInput } = intake.start(record.id);
    const slot = new RunSlot('queued', {
      record,
      policy,
      memory: new RunMemory(memory),
      wholeInput: isMasked ? wholeInput : undefined,
      sharedDeltas: () => streams.own(record.id),
    });
    runs.add(slot, life);
    circuits.starts(slot);
    slot.enter('starting');
    if (isMasked && wholeInput === undefined) endings.end(slot, { state: 'failed', failure: maskedInput });
    else if (submitted !== undefined && submitted.inputMemory !== undefined) {
      slot.memory.submit(submitted, true);
      this.#execute(slot, taken);
    } else void this.#enter(slot, taken);
  }

  /** Executes a run once there is memory for its input. */
  #enter(slot: RunSlot, taken: TakenRun): void | Promise<void> {
    const waiting = slot.memory.enter();
    if (waiting === undefined) return this.#execute(slot, taken);
    this.#crowded += 1;
    return waiting.then(() => {
      this.#crowded -= 1;
      this.#execute(slot, taken);
    });
  }

  #execute(slot: RunSlot, { record, memory, checkpoint }: TakenRun): void {
    // A process that was stopped for a while finds by reading its life that its lease is over, which releases the run. It may also
    // have been cancelled or released while it waited.
    if (this.#parts.membership.life === undefined || slot.isDecided) return;
    const { input, origin, attempt, startedAt = record.acceptedAt } = record;
    // The store has the input of every run that is not final.
    if (input === undefined) throw new Error('a run was taken without its input');
    slot.memory.loaded(input);
    this.#attempts.execute(slot, { attempt, startedAt }, { input, origin, memory, checkpoint });
    if (attempt > 1) this.#parts.completions.look();
  }
}
