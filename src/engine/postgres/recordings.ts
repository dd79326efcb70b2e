import type { RunState } from '../../contract/index.ts';
import { recordedRun } from '../execution/recorded-run.ts';
import { recordingSize } from '../execution/recording-size.ts';
import {
  isOutcomeOnly,
  type NewRecording,
  type RecordedRequest,
  type RecordingBounds,
  type RecordingQuery,
  type Recordings,
} from '../types/index.ts';
import type { Connections } from './connections.ts';
import { inSchema } from './opening.ts';
import { restored, restoredOr, storable, storableOr } from './text.ts';

const joined = `{s}.recordings c LEFT JOIN {s}.runs r ON c.verdict = 'accepted' AND r.id = c.run_id
  LEFT JOIN {s}.results x ON x.id = r.id`;

/** Recorded requests of all nodes. Their bounds are those of all nodes together. */
export class PostgresRecordings implements Recordings {
  readonly #connections: Connections;
  readonly #schema: string;
  readonly #clock: { now(): number };

  constructor(connections: Connections, schema: string, clock: { now(): number } = Date) {
    this.#connections = connections;
    this.#schema = schema;
    this.#clock = clock;
  }

  async record(recordings: readonly NewRecording[], bounds: RecordingBounds): Promise<void> {
    if (recordings.length === 0) return;
    const now = this.#clock.now();
    const rows = recordings.map(({ request, ageMs }) => {
      const until = request.receivedAt + Math.min(ageMs ?? bounds.ageMs, bounds.ageMs);
      return storedRecording(request, { size: recordingSize(request), until });
    });
    const triggers = [
      ...new Map(recordings.map((one) => [`${one.request.project}\n${one.request.trigger}`, one])).values(),
    ];
    await this.#query('record', 'SELECT {s}.v1_record($1, $2, $3, $4, $5, $6)', [
      JSON.stringify(rows),
      JSON.stringify(
        triggers.map(({ request, count, ageMs }) => ({
          project: storable(request.project),
          trigger: storable(request.trigger),
          count,
          ageMs,
        })),
      ),
      bounds.count,
      bounds.ageMs,
      bounds.sizeBytes,
      now,
    ]);
  }

  async get(id: string): Promise<RecordedRequest | undefined> {
    return (
      await this.#read('get recording', 'WHERE c.id = $1 AND c.until > $2', [storable(id), this.#clock.now()])
    )[0];
  }

  async list(query: RecordingQuery): Promise<readonly RecordedRequest[]> {
    const { project, trigger, verdict, requestId, since, order, after, limit } = query;
    const values: unknown[] = [this.#clock.now()];
    const conditions = ['c.until > $1'];
    const add = (condition: (place: string) => string, value: unknown): void => {
      values.push(value);
      conditions.push(condition(`$${values.length}`));
    };
    if (trigger !== undefined) add((place) => `c.trigger_key = ${place}`, storable(trigger));
    if (project !== undefined) add((place) => `c.project = ${place}`, storable(project));
    if (verdict !== undefined) add((place) => `c.verdict = ${place}`, verdict);
    if (requestId !== undefined) add((place) => `c.request_id = ${place}`, storable(requestId));
    if (since !== undefined) add((place) => `c.received_at >= ${place}`, since);
    const [follows, direction] = order === 'newest' ? ['<', 'DESC'] : ['>', 'ASC'];
    if (after !== undefined) {
      values.push(after.receivedAt, storable(after.id));
      conditions.push(`(c.received_at, c.id) ${follows} ($${values.length - 1}, $${values.length})`);
    }
    values.push(Math.max(0, limit));
    const rest = `WHERE ${conditions.join(' AND ')} ORDER BY c.received_at ${direction}, c.id ${direction} LIMIT $${values.length}`;
    return this.#connections.lists.read(() => this.#read(undefined, rest, values));
  }

  /** All that are kept, the oldest first, a page at a time. */
  async *all(pageSize = 500): AsyncGenerator<RecordedRequest> {
    let after: Pick<RecordedRequest, 'id' | 'receivedAt'> | undefined;
    for (;;) {
      const page = await this.list({ order: 'oldest', limit: pageSize, ...(after !== undefined && { after }) });
      yield* page;
      after = page.at(-1);
      if (after === undefined) return;
    }
  }

  async #read(name: string | undefined, rest: string, values: readonly unknown[]): Promise<readonly RecordedRequest[]> {
    const columns =
      recordingColumns(`CASE WHEN x.id IS NOT NULL THEN json_build_object('state', x.state, 'acceptedAt', x.accepted_at,
      'startedAt', x.started_at, 'finishedAt', x.finished_at, 'failedAttempts', x.failed_attempts, 'usage', x.usage, 'cost', x.cost) END`);
    const rows = await this.#query<RecordingRow>(name, `SELECT ${columns} FROM ${joined} ${rest}`, values);
    return rows.map(recordingOf);
  }

  #query<Row>(name: string | undefined, text: string, values: readonly unknown[]): Promise<readonly Row[]> {
    return this.#connections.query<Row>(name, inSchema(this.#schema, text), values);
  }
}

/** The columns of a recorded request `c`, with its run as SQL. */
export function recordingColumns(run: string): string {
  return `c.id, c.received_at::float8 AS received, c.project, c.trigger_key AS trigger, c.request_id, c.run_id, c.verdict,
      c.request, ${run} AS run`;
}

/** A recorded request as it is stored. */
export function storedRecording(request: RecordedRequest, { size, until }: { size: number; until: number }) {
  const { id, receivedAt, project, trigger, requestId, runId, verdict, run: _joined, ...rest } = request;
  return {
    id: storable(id),
    receivedAt,
    project: storable(project),
    trigger: storable(trigger),
    requestId: storableOr(requestId),
    runId: storableOr(runId),
    verdict,
    size,
    until,
    request: JSON.stringify(rest),
    sampled: !isOutcomeOnly(request),
  };
}

export interface RecordingRow {
  readonly id: string;
  readonly received: number;
  readonly project: string;
  readonly trigger: string;
  readonly request_id: string | null;
  readonly run_id: string | null;
  readonly verdict: RecordedRequest['verdict'];
  readonly request: string;
  readonly run: EndedRow | null;
}

/** What is JSON there is a text here. */
interface EndedRow {
  readonly state: RunState;
  readonly acceptedAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number;
  readonly failedAttempts: string | null;
  readonly usage: string | null;
  readonly cost: string | null;
}

/** The members that no query needs. */
type Rest = Omit<
  RecordedRequest,
  'id' | 'receivedAt' | 'project' | 'trigger' | 'requestId' | 'runId' | 'verdict' | 'run'
>;

export function recordingOf(row: RecordingRow): RecordedRequest {
  const taken = row.run === null ? undefined : takenBy(row.run);
  const rest: Rest = JSON.parse(row.request);
  return {
    ...rest,
    // JSON has no undefined.
    origin: rest.origin,
    bodyText: rest.bodyText,
    code: rest.code,
    by: rest.by,
    details: rest.details,
    id: restored(row.id),
    receivedAt: row.received,
    project: restored(row.project),
    trigger: restored(row.trigger),
    requestId: restoredOr(row.request_id),
    runId: restoredOr(row.run_id),
    verdict: row.verdict,
    ...(taken !== undefined && { run: taken }),
  };
}

function takenBy({ startedAt, failedAttempts, usage, cost, ...run }: EndedRow): RecordedRequest['run'] {
  return recordedRun({
    ...run,
    startedAt: startedAt ?? undefined,
    failedAttempts: failedAttempts === null ? [] : JSON.parse(failedAttempts),
    usage: usage === null ? undefined : JSON.parse(usage),
    cost: cost === null ? undefined : JSON.parse(cost),
  });
}
