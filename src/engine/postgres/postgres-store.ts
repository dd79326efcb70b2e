import { setTimeout as sleep } from 'node:timers/promises';
import type {
  AttemptAnswer,
  AttemptOperation,
  Beat,
  CancelAnswer,
  Hint,
  LaneRule,
  Peer,
  SharedStore,
  SubmitAnswer,
  SubmitOperation,
  TakenNotification,
  Taking,
  Want,
} from '../cluster/shared-store.ts';
import { keptRecord } from '../execution/records.ts';
import { laneOf } from '../execution/run-slot.ts';
import {
  EngineUnavailable,
  hashedKey,
  type Life,
  type LimitCounter,
  type NodeInfo,
  type NodeRecord,
  type RunQuery,
  type RunRecord,
} from '../types/index.ts';
import { Batches } from './batches.ts';
import type { Connections } from './connections.ts';
import type { Link } from './link.ts';
import { listQuery } from './list-query.ts';
import { inSchema } from './opening.ts';
import { asUnavailable, isPassing, isRefusal, isUnanswered, sqlState } from './pg-error.ts';
import { QueueBound } from './queue-bound.ts';
import { type RunRow, recordOf, runColumns } from './rows.ts';
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
import { Tidying } from './tidying.ts';

export interface StoreOptions {
  readonly schema: string;
  readonly maxQueued: number;
  readonly maxInterruptions: number;
  readonly retention: { readonly age: number; readonly count: number };
  /** For how long a step is tried again whose answer was lost, in milliseconds. */
  readonly retryMs: number;
}

/** Runs, claims, sessions and limits in PostgreSQL. What a turn of the event loop asks shares a commit. */
export class PostgresStore implements SharedStore {
  /** A database that is out of reach may come back. */
  readonly broken = new Promise<never>(() => {});
  readonly #connections: Connections;
  readonly #link: Link;
  readonly #options: StoreOptions;
  /** Undefined: the clock of the database. */
  readonly #clock: { now(): number } | undefined;
  readonly #keyOf: (value: string) => string;
  readonly #submissions = new Map<Life, Batches<SubmitOperation, SubmitAnswer>>();
  readonly #writes = new Map<Life, Batches<AttemptOperation, AttemptAnswer>>();
  readonly #queue: QueueBound;
  #peer: { readonly life: Life; readonly peer: Peer } | undefined;
  readonly #tidying: Tidying;

  /** @param salt of this schema, for values that must not be stored */
  constructor(connections: Connections, link: Link, options: StoreOptions, salt: string, clock?: { now(): number }) {
    this.#connections = connections;
    this.#link = link;
    this.#options = options;
    this.#clock = clock;
    this.#queue = new QueueBound(options.maxQueued);
    this.#keyOf = (value) => hashedKey(`${salt}${value}`);
    this.#tidying = new Tidying(connections, options, () => this.#now);
  }

  async register(info: NodeInfo, leaseMs: number): Promise<Life> {
    const [row] = await this.#link.query<{ life: Life }>(this.#sql('SELECT {s}.v1_register($1, $2, $3) AS life'), [
      JSON.stringify(info),
      info.revision,
      leaseMs,
    ]);
    if (row === undefined) throw new EngineUnavailable('the database has not registered the node');
    return row.life;
  }

  async beat(life: Life, info: NodeInfo, leaseMs: number): Promise<Beat> {
    const { maxInterruptions } = this.#options;
    const [row] = await this.#link.query<{ beat: string }>(
      this.#sql('SELECT {s}.v1_beat($1, $2, $3, $4, $5, $6) AS beat'),
      [life, JSON.stringify(info), info.revision, leaseMs, maxInterruptions, this.#now],
    );
    const beat = JSON.parse(row?.beat ?? '{"kind":"buried"}');
    if (beat.kind === 'buried') return beat;
    // By the same connection: the lease must not depend on a free one of the pool.
    const nodes = await this.#link.query<NodeRow>(this.#sql(selectNodes), []);
    return { ...beat, owned: beat.owned.map(restored), nodes: nodes.map(nodeOf) };
  }

  async leave(life: Life): Promise<void> {
    await this.#repeat(() => this.#raw('leave', 'SELECT {s}.v1_leave($1, $2)', [life, this.#now]));
    this.#link.hint({ kind: 'ready' });
  }

  async release(life: Life, runIds: readonly string[]): Promise<void> {
    const values = [life, runIds.map(storable), this.#now];
    await this.#repeat(() => this.#raw('release', 'SELECT {s}.v1_release($1, $2, $3)', values));
    this.#link.hint({ kind: 'ready' });
  }

  async nodes(): Promise<readonly NodeRecord[]> {
    return (await this.#query<NodeRow>('nodes', selectNodes, [])).map(nodeOf);
  }

  async serve(revision: string, rules: readonly LaneRule[]): Promise<void> {
    const stored = rules.map((rule) => ({
      lane: storable(laneOf(rule)),
      served: rule.isServed,
      most: rule.limit ?? null,
      perValue: rule.isPerValue,
    }));
    await this.#query('rules', 'SELECT {s}.v1_rules($1, $2)', [revision, JSON.stringify(stored)]);
  }

  submit(life: Life, operation: SubmitOperation): Promise<SubmitAnswer> {
    const batches =
      this.#submissions.get(life) ??
      new Batches<SubmitOperation, SubmitAnswer>((batch) => this.#step(life, batch), isRefusal);
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
      const [row] = await this.#repeat(async () => {
        const values = [life, batch, this.#queue.bound(operations.length), isAgain, want && wantJson(want), this.#now];
        const wasAsked = isAgain;
        isAgain = true;
        try {
          return await this.#raw<{ step: string }>(
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
    const [row] = await this.#repeat(
      () => this.#raw<{ taking: string }>('take', text, [life, wantJson(want), this.#now]),
      isPassing,
    );
    return takingOf(JSON.parse(row?.taking ?? ''));
  }

  write(life: Life, operation: AttemptOperation): Promise<AttemptAnswer> {
    const batches =
      this.#writes.get(life) ??
      new Batches<AttemptOperation, AttemptAnswer>((batch) => this.#write(life, batch), isRefusal);
    this.#writes.set(life, batches);
    const text =
      operation.kind === 'end' ? operation.end.output : operation.kind === 'save' ? operation.checkpoint : undefined;
    return batches.add(operation, 1024 + (text?.length ?? 0));
  }

  async #write(life: Life, operations: readonly AttemptOperation[]): Promise<readonly AttemptAnswer[]> {
    const batch = writesJson(operations);
    const [row] = await this.#repeat(() =>
      this.#raw<{ answers: string }>('write', 'SELECT {s}.v1_write($1, $2, $3) AS answers', [life, batch, this.#now]),
    );
    return JSON.parse(row?.answers ?? '[]').map(attemptAnswerOf);
  }

  async cancel(runId: string): Promise<CancelAnswer> {
    let tries = 0;
    const [row] = await this.#repeat(() => {
      tries += 1;
      return this.#raw<{ answer: string }>('cancel', 'SELECT {s}.v1_cancel($1, $2) AS answer', [
        storable(runId),
        this.#now,
      ]);
    });
    const { owner, ...answer } = JSON.parse(row?.answer ?? '{"kind":"not_found"}');
    // A try whose answer was lost has cancelled it.
    const isDone = tries > 1 && answer.kind === 'already_final' && answer.state === 'cancelled';
    return isDone || answer.kind === 'cancelled' ? { kind: 'cancelled', owner: owner ?? undefined } : answer;
  }

  async get(runId: string): Promise<RunRecord | undefined> {
    const row = (await this.#runs('get', 'WHERE r.id = $1', [storable(runId)]))[0];
    return row && kept(row);
  }

  async finals(runIds: readonly string[]): Promise<ReadonlyMap<string, RunRecord | undefined>> {
    // One statement, so that a run which ends meanwhile is in the queue or has a result.
    const rows = await this.#query<{ wanted: string; open: boolean } & (RunRow | { readonly id: null })>(
      'finals',
      `SELECT w.wanted, q.id IS NOT NULL AS open, ${runColumns} FROM unnest($1::text[]) AS w(wanted)
         LEFT JOIN {s}.queue q ON q.id = w.wanted LEFT JOIN {s}.results x ON x.id = w.wanted
         LEFT JOIN {s}.runs r ON r.id = x.id`,
      [runIds.map(storable)],
    );
    const final = rows.filter(({ open }) => !open);
    return new Map(final.map((row) => [restored(row.wanted), row.id === null ? undefined : recordOf(row)]));
  }

  async ownerOf(runId: string): Promise<{ readonly owner: Life; readonly attempt: number } | undefined> {
    const [row] = await this.#query<{ owner: Life; attempt: number }>(
      'owner',
      "SELECT owner, attempt FROM {s}.queue WHERE id = $1 AND phase = 'running'",
      [storable(runId)],
    );
    return row;
  }

  async list(query: RunQuery): Promise<readonly RunRecord[]> {
    const { name, where, order, values } = listQuery(query);
    const from = name.includes('open') ? 'open' : 'all';
    const rows = await this.#connections.lists.read(() => this.#runs(name, `${where} ${order}`, values, from));
    return rows.map(kept).filter((record) => record !== undefined);
  }

  async limitCounters(limit: string, most: number): Promise<readonly LimitCounter[]> {
    const rows = await this.#query<{ value: string; at: number; used: number; open: number }>(
      'counters',
      `SELECT value, opened_at AS at, used, open FROM {s}.counters WHERE limit_id = $1 AND opened_at > -1e15
         ORDER BY used + open DESC, opened_at DESC, value LIMIT $2`,
      [storable(limit), most],
    );
    return rows.map(({ value, ...state }) => ({ limit, value: restored(value), ...state }));
  }

  async resetLimit(limit: string, value: string | undefined): Promise<number> {
    const [row] = await this.#query<{ count: number }>('reset', 'SELECT {s}.v1_reset($1, $2) AS count', [
      storable(limit),
      value === undefined ? null : storable(value),
    ]);
    return row?.count ?? 0;
  }

  async takeNotifications(_life: Life, most: number, leaseMs: number): Promise<readonly TakenNotification[]> {
    const taken = await this.#query<{ id: string; sent: number }>(
      'take notifications',
      'SELECT run_id AS id, sent FROM {s}.v1_take_notifications($1, $2, $3)',
      [most, leaseMs, this.#now],
    );
    if (taken.length === 0) return [];
    const rows = await this.#runs('notified runs', 'WHERE r.id = ANY ($1) AND x.id IS NOT NULL', [
      taken.map(({ id }) => id),
    ]);
    const attempts = new Map(taken.map(({ id, sent }) => [id, sent]));
    return rows.map((row) => ({ run: recordOf(row), attempts: attempts.get(row.id) ?? 0 }));
  }

  async notifyLater(runId: string, attempts: number, delayMs: number): Promise<void> {
    await this.#query(
      'notify later',
      'UPDATE {s}.notifications SET attempts = $2, due_at = {s}.v1_now($4) + $3 WHERE id = $1',
      [storable(runId), attempts, Math.ceil(delayMs), this.#now],
    );
  }

  async notified(runId: string): Promise<void> {
    await this.#query('notified', 'DELETE FROM {s}.notifications WHERE id = $1', [storable(runId)]);
  }

  async deliver(runId: string, completion: string): Promise<boolean> {
    const rows = await this.#query(
      'deliver',
      `INSERT INTO {s}.completions SELECT id, $2 FROM {s}.queue WHERE id = $1 FOR KEY SHARE
         ON CONFLICT (run_id) DO UPDATE SET completion = {s}.completions.completion RETURNING 1`,
      [storable(runId), completion],
    );
    return rows.length > 0;
  }

  async delivered(life: Life): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#query<{ id: string; completion: string }>(
      'delivered',
      `SELECT c.run_id AS id, c.completion FROM {s}.completions c JOIN {s}.queue q ON q.id = c.run_id
         WHERE q.owner = $1 AND q.phase = 'running'`,
      [life],
    );
    return new Map(rows.map(({ id, completion }) => [restored(id), completion]));
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
      await this.#query(
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
    await this.#connections.close();
  }

  get #now(): number | null {
    return this.#clock?.now() ?? null;
  }

  #sql(text: string): string {
    return inSchema(this.#options.schema, text);
  }

  #query<Row>(name: string, text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return this.#connections.query<Row>(name, this.#sql(text), values);
  }

  #raw<Row>(name: string, text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return this.#connections.raw<Row>({ name, text: this.#sql(text), values });
  }

  /** Tries a step again that finds what it has done before, for as long as its caller can wait. */
  async #repeat<Row>(
    step: () => Promise<readonly Row[]>,
    mayRepeat: (error: unknown) => boolean = (error) => isPassing(error) || isUnanswered(error),
  ): Promise<readonly Row[]> {
    const until = performance.now() + this.#options.retryMs;
    for (let delayMs = 10; ; delayMs = Math.min(delayMs * 2, 500)) {
      try {
        return await step();
      } catch (error) {
        if (!mayRepeat(error) || performance.now() + delayMs > until) throw asUnavailable(error);
      }
      await sleep(delayMs);
    }
  }

  async #runs(
    name: string,
    rest: string,
    values: readonly unknown[],
    from: 'all' | 'open' = 'all',
  ): Promise<readonly RunRow[]> {
    const tables =
      from === 'open'
        ? '{s}.queue q JOIN {s}.runs r USING (id) LEFT JOIN {s}.results x USING (id)'
        : '{s}.runs r LEFT JOIN {s}.queue q USING (id) LEFT JOIN {s}.results x USING (id)';
    return this.#query<RunRow>(name, `SELECT ${runColumns} FROM ${tables} ${rest}`, values);
  }
}

function kept(row: RunRow): RunRecord | undefined {
  const record = recordOf(row);
  return record.finishedAt === undefined ? record : keptRecord(record, row.keep);
}

interface NodeRow {
  readonly life: Life;
  readonly info: string;
  readonly started: number;
  readonly since: number;
  readonly until: number;
}

const selectNodes = `SELECT life, info, started_at::float8 AS started, revision_since::float8 AS since,
  floor(extract(epoch FROM lease_until) * 1000)::float8 AS until FROM {s}.nodes ORDER BY started_at, life`;

function nodeOf({ life, info, started, since, until }: NodeRow): NodeRecord {
  const known: NodeInfo = JSON.parse(info);
  return { ...known, life, startedAt: started, revisionSince: since, leaseUntil: until };
}
