import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { recordingSize } from '../execution/recording-size.ts';
import {
  isOutcomeOnly,
  type NewRecording,
  type RecordedRequest,
  type RecordingBounds,
  type RecordingQuery,
} from '../types/index.ts';
import { freePages } from './free-pages.ts';
import { recordingColumns, recordingOf, recordingValues, selectRecordings } from './recording-rows.ts';
import { Statements } from './statements.ts';
import { tidyLimit } from './tidying.ts';

const placeholders = recordingColumns.replace(/\w+/g, '?');
const ofOutcome = "details ->> '$.sampled' = 0";
const counted = `RETURNING project, trigger_key, size, coalesce(${ofOutcome}, 0) AS of_outcome`;
const oldestFirst = 'FROM recordings INDEXED BY recordings_by_time ORDER BY received_at, id LIMIT ?';
const oldestOfOutcome = `FROM recordings INDEXED BY recordings_of_outcome WHERE ${ofOutcome} ORDER BY received_at, id LIMIT ?`;
/** The part of the maximum size that is reserved for runs: a sample must never be the reason why one is refused. */
const reservedForRuns = 0.25;

/** The journal's operations on recorded requests. Each is part of the caller's transaction. */
export class RecordingTables {
  readonly #sql: Statements;
  /** Those of the latest request; the journal does not store them. */
  #bounds: RecordingBounds | undefined;
  /** Undefined: not counted yet. */
  #kept: Kept | undefined;
  readonly #keptOfTrigger = new Map<string, number>();

  constructor(database: DatabaseSync) {
    this.#sql = new Statements(database);
  }

  /** After a rollback, the counts of the transaction are wrong. */
  forgetCounts(): void {
    this.#kept = undefined;
    this.#keptOfTrigger.clear();
  }

  /** Returns whether there was room. Throwing instead would roll back the operations that share the transaction. */
  record(recordings: readonly NewRecording[], bounds: RecordingBounds, now: number): boolean {
    this.#bounds = bounds;
    const most = recordings.length + tidyLimit;
    // The oldest are dropped first.
    if (!this.#hasRoom()) this.#boundAll(now, most);
    const hasRoom = this.#hasRoom();
    if (hasRoom) for (const recording of recordings) this.#add(recording, bounds);
    for (const recording of lastOfEachTrigger(recordings)) this.#boundTrigger(recording, now, most);
    this.#boundAll(now, most);
    return hasRoom;
  }

  get(id: string, now: number): RecordedRequest | undefined {
    const row = this.#sql.get(`${selectRecordings} WHERE recordings.id = ? AND until > ?`, [id, now]);
    return row && recordingOf(row);
  }

  /** A covering index finds the page; only its rows are read. */
  list(query: RecordingQuery, now: number): readonly RecordedRequest[] {
    const { project, trigger, verdict, requestId, since, order, after, limit } = query;
    const conditions: [string, ...SQLInputValue[]][] = [['until > ?', now]];
    if (trigger !== undefined) conditions.push(['trigger_key = ?', trigger]);
    if (project !== undefined) conditions.push(['project = ?', project]);
    if (verdict !== undefined) conditions.push(['verdict = ?', verdict]);
    if (requestId !== undefined) conditions.push(['request_id = ?', requestId]);
    if (since !== undefined) conditions.push(['received_at >= ?', since]);
    const [follows, direction] = order === 'newest' ? ['<', 'DESC'] : ['>', 'ASC'];
    if (after !== undefined) conditions.push([`(received_at, id) ${follows} (?, ?)`, after.receivedAt, after.id]);
    const where = conditions.map(([text]) => text).join(' AND ');
    const index = trigger === undefined ? 'recordings_by_time' : 'recordings_by_trigger';
    const sorted = `ORDER BY received_at ${direction}, id ${direction}`;
    const found = `SELECT rowid FROM recordings INDEXED BY ${index} WHERE ${where} ${sorted} LIMIT ?`;
    const values = [...conditions.flatMap(([, ...given]) => given), Math.max(0, limit)];
    const ofPage = `recordings.rowid IN (${found}) ORDER BY received_at ${direction}, recordings.id ${direction}`;
    return this.#sql.all(`${selectRecordings} WHERE ${ofPage}`, values).map(recordingOf);
  }

  /** Removes some of what exceeds the bounds. True if there may be more. */
  tidy(now: number): boolean {
    return this.#boundAll(now, tidyLimit) >= tidyLimit;
  }

  #hasRoom(): boolean {
    const { free, most } = freePages(this.#sql);
    return free >= most * reservedForRuns;
  }

  /** A request that is recorded already stays as it is. */
  #add({ request, ageMs }: NewRecording, bounds: RecordingBounds): void {
    const size = recordingSize(request);
    const until = request.receivedAt + Math.min(ageMs ?? bounds.ageMs, bounds.ageMs);
    const added = this.#sql.run(
      `INSERT INTO recordings (${recordingColumns}, size, until) VALUES (${placeholders}, ?, ?)
         ON CONFLICT (id) DO NOTHING`,
      [...recordingValues(request), size, until],
    );
    if (added > 0) this.#count(request, size, 1);
  }

  #boundTrigger({ request, count, ageMs }: NewRecording, now: number, limit: number): void {
    const { project, trigger } = request;
    const ofTrigger = 'FROM recordings INDEXED BY recordings_by_trigger WHERE trigger_key = ? AND project = ?';
    // The bounds may be lower now than when the request was recorded.
    if (ageMs !== undefined) {
      const old = `SELECT rowid ${ofTrigger} AND received_at <= ? ORDER BY received_at LIMIT ?`;
      this.#delete(old, [trigger, project, now - ageMs, limit]);
    }
    const excess = count === undefined ? 0 : Math.min(this.#countOfTrigger(project, trigger) - count, limit);
    if (excess > 0) {
      this.#delete(`SELECT rowid ${ofTrigger} ORDER BY received_at, id LIMIT ?`, [trigger, project, excess]);
    }
  }

  #boundAll(now: number, limit: number): number {
    const ended = this.#delete('SELECT rowid FROM recordings WHERE until <= ? LIMIT ?', [now, limit]);
    const old = this.#bounds === undefined ? 0 : this.#boundAge(now - this.#bounds.ageMs, limit);
    const hasRoom = this.#hasRoom();
    const refused = hasRoom ? this.#excess(oldestOfOutcome, limit, isMostlyOfOutcome) : 0;
    const deleted = refused > 0 ? this.#delete(`SELECT rowid ${oldestOfOutcome}`, [refused]) : 0;
    const excess = hasRoom ? this.#excess(oldestFirst, limit, isOver) : limit;
    return ended + old + deleted + (excess > 0 ? this.#delete(`SELECT rowid ${oldestFirst}`, [excess]) : 0);
  }

  /** The bound may be lower now than when they were recorded. */
  #boundAge(until: number, limit: number): number {
    const old = 'FROM recordings INDEXED BY recordings_by_time WHERE received_at <= ? ORDER BY received_at LIMIT ?';
    return this.#delete(`SELECT rowid ${old}`, [until, limit]);
  }

  /** How many of these have to go for the bounds of count and size. */
  #excess(oldest: string, limit: number, mustGo: (kept: Kept, bounds: RecordingBounds) => boolean): number {
    const bounds = this.#bounds;
    if (bounds === undefined) return 0;
    const { ofOutcome, ...all } = this.#total();
    const left = { ...all, ofOutcome: { ...ofOutcome } };
    let excess = 0;
    if (!mustGo(left, bounds)) return excess;
    for (const row of this.#sql.prepare(`SELECT size ${oldest}`).iterate(limit)) {
      if (!mustGo(left, bounds)) break;
      for (const sum of oldest === oldestFirst ? [left] : [left, left.ofOutcome]) {
        sum.count -= 1;
        sum.size -= Number(row.size);
      }
      excess += 1;
    }
    return excess;
  }

  /** Deletes the rows that a query finds. Returns how many. */
  #delete(found: string, values: readonly SQLInputValue[]): number {
    const deleted = this.#sql.all(`DELETE FROM recordings WHERE rowid IN (${found}) ${counted}`, values);
    for (const row of deleted) {
      const details = row.of_outcome === 1 ? { sampled: false, rate: 0 } : undefined;
      const request = { project: String(row.project), trigger: String(row.trigger_key), details };
      this.#count(request, Number(row.size), -1);
    }
    return deleted.length;
  }

  #count(request: Counted, size: number, change: 1 | -1): void {
    const { project, trigger } = request;
    const counts =
      this.#kept === undefined ? [] : isOutcomeOnly(request) ? [this.#kept, this.#kept.ofOutcome] : [this.#kept];
    for (const one of counts) {
      one.count += change;
      one.size += change * size;
    }
    const name = nameOf({ project, trigger });
    const ofTrigger = this.#keptOfTrigger.get(name);
    if (ofTrigger !== undefined) this.#keptOfTrigger.set(name, ofTrigger + change);
  }

  #total(): Kept {
    if (this.#kept === undefined) {
      const sumOf = (rows: string) => {
        const row = this.#sql.get(
          `SELECT count(*) AS count, total(size) AS size FROM recordings INDEXED BY ${rows}`,
          [],
        );
        return { count: Number(row?.count), size: Number(row?.size) };
      };
      const all = sumOf('recordings_by_time');
      this.#kept = { ...all, ofOutcome: sumOf(`recordings_of_outcome WHERE ${ofOutcome}`) };
    }
    return this.#kept;
  }

  #countOfTrigger(project: string, trigger: string): number {
    const name = nameOf({ project, trigger });
    const known = this.#keptOfTrigger.get(name);
    if (known !== undefined) return known;
    const sql = 'SELECT count(*) AS count FROM recordings WHERE trigger_key = ? AND project = ?';
    const count = Number(this.#sql.get(sql, [trigger, project])?.count);
    this.#keptOfTrigger.set(name, count);
    return count;
  }
}

function isOver({ count, size }: Sum, bounds: RecordingBounds): boolean {
  return count > bounds.count || size > bounds.sizeBytes;
}

/** Whether a bound is exceeded, and those that were recorded for their outcome alone take more than half of it. */
function isMostlyOfOutcome({ count, size, ofOutcome }: Kept, bounds: RecordingBounds): boolean {
  return (
    (count > bounds.count && ofOutcome.count > bounds.count / 2) ||
    (size > bounds.sizeBytes && ofOutcome.size > bounds.sizeBytes / 2)
  );
}

interface Sum {
  count: number;
  size: number;
}

/** All that are kept, and those of them that were recorded for their outcome alone. */
interface Kept extends Sum {
  readonly ofOutcome: Sum;
}

type Counted = Pick<RecordedRequest, 'project' | 'trigger' | 'details'>;

/** The latest recording of a trigger has its current bounds. */
function lastOfEachTrigger(recordings: readonly NewRecording[]): Iterable<NewRecording> {
  return new Map(recordings.map((recording) => [nameOf(recording.request), recording])).values();
}

/** Ids of projects and keys of triggers contain no line break. */
function nameOf({ project, trigger }: Pick<RecordedRequest, 'project' | 'trigger'>): string {
  return `${project}\n${trigger}`;
}
