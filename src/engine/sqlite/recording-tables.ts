import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { NewRecording, RecordedRequest, RecordingBounds, RecordingQuery } from '../../contract/index.ts';
import { recordingSize } from '../execution/recording-size.ts';
import { recordingColumns, recordingOf, recordingValues } from './recording-rows.ts';
import { Statements } from './statements.ts';

const placeholders = recordingColumns.replace(/\w+/g, '?');
const counted = 'RETURNING project, trigger_key, size';

/** What the journal does to its table of recorded requests. Each method is part of a transaction of the caller's. */
export class RecordingTables {
  readonly #sql: Statements;
  /** Those that the last request was recorded with; the journal does not keep them. */
  #bounds: RecordingBounds | undefined;
  /** Undefined: to be counted. */
  #kept: { count: number; size: number } | undefined;
  readonly #keptOfTrigger = new Map<string, number>();

  constructor(database: DatabaseSync) {
    this.#sql = new Statements(database);
  }

  /** After a rollback, what was counted in the transaction is wrong. */
  forgetCounts(): void {
    this.#kept = undefined;
    this.#keptOfTrigger.clear();
  }

  /** @param limit how many may be let go of besides as many as are new */
  record(recordings: readonly NewRecording[], bounds: RecordingBounds, now: number, limit: number): void {
    this.#bounds = bounds;
    for (const { request, ageMs = bounds.ageMs } of recordings) {
      const size = recordingSize(request);
      const until = request.receivedAt + Math.min(ageMs, bounds.ageMs);
      this.#sql.run(`INSERT INTO recordings (${recordingColumns}, size, until) VALUES (${placeholders}, ?, ?)`, [
        ...recordingValues(request),
        ...[size, until],
      ]);
      this.#count(request.project, request.trigger, size, 1);
    }
    const most = recordings.length + limit;
    for (const [trigger, count] of countsOf(recordings)) this.#boundTrigger(trigger, count, most);
    this.#boundAll(now, most);
  }

  get(id: string, now: number): RecordedRequest | undefined {
    const row = this.#sql.get('SELECT * FROM recordings WHERE id = ? AND until > ?', [id, now]);
    return row && recordingOf(row);
  }

  /** Found in an index alone; then the rows of the page are read. */
  list(query: RecordingQuery, now: number): readonly RecordedRequest[] {
    const { project, trigger, verdict, since, order, after, limit } = query;
    const conditions: [string, ...SQLInputValue[]][] = [['until > ?', now]];
    if (trigger !== undefined) conditions.push(['trigger_key = ?', trigger]);
    if (project !== undefined) conditions.push(['project = ?', project]);
    if (verdict !== undefined) conditions.push(['verdict = ?', verdict]);
    if (since !== undefined) conditions.push(['received_at >= ?', since]);
    const [follows, direction] = order === 'newest' ? ['<', 'DESC'] : ['>', 'ASC'];
    if (after !== undefined) conditions.push([`(received_at, id) ${follows} (?, ?)`, after.receivedAt, after.id]);
    const where = conditions.map(([text]) => text).join(' AND ');
    const index = trigger === undefined ? 'recordings_by_time' : 'recordings_by_trigger';
    const sorted = `ORDER BY received_at ${direction}, id ${direction}`;
    const found = `SELECT rowid FROM recordings INDEXED BY ${index} WHERE ${where} ${sorted} LIMIT ?`;
    const values = [...conditions.flatMap(([, ...given]) => given), Math.max(0, limit)];
    return this.#sql.all(`SELECT * FROM recordings WHERE rowid IN (${found}) ${sorted}`, values).map(recordingOf);
  }

  /** Lets go of some of what is out of bounds, and says how many. */
  tidy(now: number, limit: number): number {
    return this.#boundAll(now, limit);
  }

  #boundTrigger(name: string, count: number, limit: number): void {
    const [project = '', trigger = ''] = name.split('\n');
    const excess = Math.min(this.#countOfTrigger(project, trigger) - count, limit);
    if (excess <= 0) return;
    this.#delete(
      `SELECT rowid FROM recordings INDEXED BY recordings_by_trigger WHERE trigger_key = ? AND project = ?
         ORDER BY received_at, id LIMIT ?`,
      [trigger, project, excess],
    );
  }

  #boundAll(now: number, limit: number): number {
    const ended = this.#delete('SELECT rowid FROM recordings WHERE until <= ? LIMIT ?', [now, limit]);
    const bounds = this.#bounds;
    if (bounds === undefined) return ended;
    // The bound may be less by now than when they were recorded.
    const old = this.#delete(
      'SELECT rowid FROM recordings INDEXED BY recordings_by_time WHERE received_at <= ? ORDER BY received_at LIMIT ?',
      [now - bounds.ageMs, limit],
    );
    const kept = this.#total();
    if (kept.count <= bounds.count && kept.size <= bounds.sizeBytes) return ended + old;
    let excess = 0;
    for (const row of this.#sql.all('SELECT rowid, size FROM recordings ORDER BY received_at, id LIMIT ?', [limit])) {
      if (kept.count <= bounds.count && kept.size <= bounds.sizeBytes) break;
      excess += this.#delete('SELECT ?', [row.rowid ?? null]);
    }
    return ended + old + excess;
  }

  /** Deletes the rows that a query finds, and says how many. */
  #delete(found: string, values: readonly SQLInputValue[]): number {
    const deleted = this.#sql.all(`DELETE FROM recordings WHERE rowid IN (${found}) ${counted}`, values);
    for (const { project, trigger_key: trigger, size } of deleted) {
      this.#count(String(project), String(trigger), Number(size), -1);
    }
    return deleted.length;
  }

  #count(project: string, trigger: string, size: number, change: 1 | -1): void {
    if (this.#kept !== undefined) {
      this.#kept.count += change;
      this.#kept.size += change * size;
    }
    const name = `${project}\n${trigger}`;
    const ofTrigger = this.#keptOfTrigger.get(name);
    if (ofTrigger !== undefined) this.#keptOfTrigger.set(name, ofTrigger + change);
  }

  #total(): { readonly count: number; readonly size: number } {
    if (this.#kept === undefined) {
      const row = this.#sql.get('SELECT count(*) AS count, total(size) AS size FROM recordings', []);
      this.#kept = { count: Number(row?.count), size: Number(row?.size) };
    }
    return this.#kept;
  }

  #countOfTrigger(project: string, trigger: string): number {
    const name = `${project}\n${trigger}`;
    const known = this.#keptOfTrigger.get(name);
    if (known !== undefined) return known;
    const sql = 'SELECT count(*) AS count FROM recordings WHERE trigger_key = ? AND project = ?';
    const count = Number(this.#sql.get(sql, [trigger, project])?.count);
    this.#keptOfTrigger.set(name, count);
    return count;
  }
}

/** How many may be kept of each trigger that has a bound of its own; ids of projects and triggers hold no line break. */
function countsOf(recordings: readonly NewRecording[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { request, count } of recordings) {
    if (count !== undefined) counts.set(`${request.project}\n${request.trigger}`, count);
  }
  return counts;
}
