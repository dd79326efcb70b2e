import type {
  AttemptAnswer,
  AttemptOperation,
  CancelAnswer,
  Hint,
  Peer,
  SharedStore,
  SubmitAnswer,
  SubmitOperation,
  Taking,
  Want,
} from '../cluster/shared-store.ts';
import { type CommitObserver, EngineUnavailable, hashedKey, type Life, type LimitCounter } from '../types/index.ts';
import { Batches } from './batches.ts';
import type { Connections } from './connections.ts';
import { Database, type DatabaseOptions } from './database.ts';
import type { Link } from './link.ts';
import { NodeTable } from './node-table.ts';
import { Outcomes } from './outcomes.ts';
import { isPassing, isRefusal, sqlState } from './pg-error.ts';
import { QueueBound } from './queue-bound.ts';
import { RunReads } from './run-reads.ts';
import {
  attemptAnswerOf,
  type StepJson,
  stepAnswers,
  submissionsJson,
  takingOf,
  wantJson,
  writesJson,
} from './steps.ts';
import { restored, storable } from './text.ts';
import { type Retention, Tidying } from './tidying.ts';

export interface StoreOptions extends DatabaseOptions {
  readonly maxQueued: number;
  readonly maxInterruptions: number;
  readonly retention: Retention;
  readonly commits?: CommitObserver | undefined;
}

/** Runs, claims, sessions and limits in PostgreSQL. What a turn of the event loop asks shares a commit. */
export class PostgresStore implements SharedStore {
  /** A database that is out of reach may come back. */
  readonly broken = new Promise<never>(() => {});
  readonly #database: Database;
  readonly #link: Link;
  readonly #lives: NodeTable;
  readonly #reads: RunReads;
  readonly #outcomes: Outcomes;
  readonly #keyOf: (value: string) => string;
  readonly #submissions = new Map<Life, Batches<SubmitOperation, SubmitAnswer>>();
  readonly #writes = new Map<Life, Batches<AttemptOperation, AttemptAnswer>>();
  readonly #queue: QueueBound;
  readonly #commits: CommitObserver | undefined;
  #peer: { readonly life: Life; readonly peer: Peer } | undefined;
  readonly #tidying: Tidying;

  /** @param salt of this schema, for values that must not be stored */
  constructor(connections: Connections, link: Link, options: StoreOptions, salt: string, clock?: { now(): number }) {
    this.#database = new Database(connections, options, clock);
    this.#link = link;
    this.#lives = new NodeTable(this.#database, link, options.maxInterruptions);
    this.#reads = new RunReads(this.#database);
    this.#outcomes = new Outcomes(this.#database, this.#reads);
    this.#queue = new QueueBound(options.maxQueued);
    this.#commits = options.commits;
    this.#keyOf = (value) => hashedKey(`${salt}${value}`);
    this.#tidying = new Tidying(this.#database, options.retention);
  }

  readonly register: SharedStore['register'] = (info, leaseMs) => this.#lives.register(info, leaseMs);
  readonly beat: SharedStore['beat'] = (life, info, leaseMs) => this.#lives.beat(life, info, leaseMs);
  readonly leave: SharedStore['leave'] = (life) => this.#lives.leave(life);
  readonly release: SharedStore['release'] = (life, runIds) => this.#lives.release(life, runIds);
  readonly nodes: SharedStore['nodes'] = () => this.#lives.nodes();
  readonly serve: SharedStore['serve'] = (revision, rules) => this.#lives.serve(revision, rules);

  readonly get: SharedStore['get'] = (runId) => this.#reads.get(runId);
  readonly progress: SharedStore['progress'] = (runId) => this.#reads.progress(runId);
  readonly finals: SharedStore['finals'] = (runIds) => this.#reads.finals(runIds);
  readonly ownerOf: SharedStore['ownerOf'] = (runId) => this.#reads.ownerOf(runId);
  readonly holder: SharedStore['holder'] = (claim) => this.#reads.holder(claim);
  readonly list: SharedStore['list'] = (query) => this.#reads.list(query);

  readonly takeNotifications: SharedStore['takeNotifications'] = (most, leaseMs) =>
    this.#outcomes.takeNotifications(most, leaseMs);
  readonly notifyLater: SharedStore['notifyLater'] = (runId, attempts, delayMs) =>
    this.#outcomes.notifyLater(runId, attempts, delayMs);
  readonly notified: SharedStore['notified'] = (runId) => this.#outcomes.notified(runId);
  readonly deliver: SharedStore['deliver'] = (runId, completion) => this.#outcomes.deliver(runId, completion);
  readonly delivered: SharedStore['delivered'] = (life) => this.#outcomes.delivered(life);

  submit(life: Life, operation: SubmitOperation): Promise<SubmitAnswer> {
    const batches =
      this.#submissions.get(life) ??
      new Batches<SubmitOperation, SubmitAnswer>((batch) => this.#step(life, batch), isRefusal, this.#commits);
    this.#submissions.set(life, batches);
    return batches.add(operation, operation.run.inputMemory?.bytes ?? 1024);
  }

  async #step(life: Life, operations: readonly SubmitOperation[]): Promise<readonly SubmitAnswer[]> {
    const batch = submissionsJson(operations, this.#keyOf);
    const peer = this.#peer?.life === life ? this.#peer.peer : undefined;
    const want = peer?.want(operations.length);
    let step: StepJson | undefined;
    let isAgain = false;
    try {
      const [row] = await this.#database.repeat(async () => {
        const values = [
          life,
          batch,
          this.#queue.bound(operations.length),
          isAgain,
          want && wantJson(want),
          this.#database.now,
        ];
        const wasAsked = isAgain;
        isAgain = true;
        try {
          return await this.#database.raw<{ step: string }>(
            'step',
            'SELECT {s}.v1_step($1, $2, $3, $4, $5, $6) AS step',
            values,
          );
        } catch (error) {
          // The first try has been committed beside this one, which finds that when it is repeated.
          if (wasAsked && sqlState(error) === '23505')
            throw new EngineUnavailable('a lost step was committed meanwhile');
          throw error;
        }
      });
      step = row && JSON.parse(row.step);
      if (step === undefined) return [];
      this.#queue.counted(step.queued);
      return stepAnswers(step, operations);
    } finally {
      if (want !== undefined) peer?.taken(want, step?.taking ? takingOf(step.taking) : undefined);
    }
  }

  async take(life: Life, want: Want): Promise<Taking> {
    const text = 'SELECT {s}.v1_take($1, $2, {s}.v1_now($3))::text AS taking';
    // What it takes without an answer is released when a beat shows it.
    const [row] = await this.#database.repeat(
      () => this.#database.raw<{ taking: string }>('take', text, () => [life, wantJson(want), this.#database.now]),
      isPassing,
    );
    return takingOf(JSON.parse(row?.taking ?? ''));
  }

  write(life: Life, operation: AttemptOperation): Promise<AttemptAnswer> {
    const batches =
      this.#writes.get(life) ??
      new Batches<AttemptOperation, AttemptAnswer>((batch) => this.#write(life, batch), isRefusal, this.#commits);
    this.#writes.set(life, batches);
    const text =
      operation.kind === 'end' ? operation.end.output : operation.kind === 'save' ? operation.checkpoint : undefined;
    return batches.add(operation, 1024 + (text?.length ?? 0));
  }

  async #write(life: Life, operations: readonly AttemptOperation[]): Promise<readonly AttemptAnswer[]> {
    const batch = writesJson(operations);
    const [row] = await this.#database.repeat(() =>
      this.#database.raw<{ answers: string }>('write', 'SELECT {s}.v1_write($1, $2, $3) AS answers', [
        life,
        batch,
        this.#database.now,
      ]),
    );
    return JSON.parse(row?.answers ?? '[]').map(attemptAnswerOf);
  }

  async cancel(runId: string): Promise<CancelAnswer> {
    let tries = 0;
    const [row] = await this.#database.repeat(() => {
      tries += 1;
      return this.#database.raw<{ answer: string }>('cancel', 'SELECT {s}.v1_cancel($1, $2) AS answer', [
        storable(runId),
        this.#database.now,
      ]);
    });
    const { owner, ...answer } = JSON.parse(row?.answer ?? '{"kind":"not_found"}');
    // A try whose answer was lost has cancelled it.
    const isDone = tries > 1 && answer.kind === 'already_final' && answer.state === 'cancelled';
    return isDone || answer.kind === 'cancelled' ? { kind: 'cancelled', owner: owner ?? undefined } : answer;
  }

  async limitCounters(limit: string, most: number): Promise<readonly LimitCounter[]> {
    const rows = await this.#database.query<{ value: string; at: number; used: number; open: number }>(
      'counters',
      `SELECT value, opened_at AS at, used, open FROM {s}.counters WHERE limit_id = $1 AND opened_at > -1e15
         ORDER BY used + open DESC, opened_at DESC, value LIMIT $2`,
      [storable(limit), most],
    );
    return rows.map(({ value, ...state }) => ({ limit, value: restored(value), ...state }));
  }

  async resetLimit(limit: string, value: string | undefined): Promise<number> {
    const [row] = await this.#database.query<{ count: number }>('reset', 'SELECT {s}.v1_reset($1, $2) AS count', [
      storable(limit),
      value === undefined ? null : storable(value),
    ]);
    return row?.count ?? 0;
  }

  attach(life: Life, peer: Peer): void {
    this.#peer = { life, peer };
    // What earlier lives have asked is still answered.
    for (const batches of [this.#submissions, this.#writes]) {
      for (const earlier of batches.keys()) if (earlier !== life) batches.delete(earlier);
    }
    this.#link.listen(life, (hint) => peer.hint(hint));
  }

  hint(hint: Exclude<Hint, { kind: 'message' | 'missed' }>): void {
    this.#link.hint(hint);
  }

  send(life: Life, text: string): void {
    this.#link.send(life, text);
  }

  async health(): Promise<string | undefined> {
    try {
      // Writes, as an acceptance does.
      await this.#database.query(
        'health',
        "INSERT INTO {s}.meta VALUES ('health', '') ON CONFLICT (name) DO UPDATE SET value = ''",
        [],
      );
      return undefined;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  async close(): Promise<void> {
    this.#tidying.stop();
    this.#link.close();
    await this.#database.connections.close();
  }
}
