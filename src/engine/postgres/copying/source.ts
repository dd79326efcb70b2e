import type { CopiedKind, CopiedRow, CopyOptions, CopySource, RowOf, RunRowCopy } from '../../copy/copied-rows.ts';
import { CopyError } from '../../copy/copy-error.ts';
import { interruptedRun } from '../../copy/interrupted-run.ts';
import type { LimitReservation, Note } from '../../types/index.ts';
import { type AuditRow, auditColumns, auditEntryOf } from '../audit.ts';
import { type RecordingRow, recordingColumns, recordingOf } from '../recordings.ts';
import { type RunRow, recordOf, runColumns } from '../rows.ts';
import { restored } from '../text.ts';
import { type OpenSchema, openSchema } from './open-schema.ts';

/** How much one answer of the database may hold: rows, and about how many bytes. */
const page = { first: 20, most: 500, bytes: 4 * 1024 * 1024 };

/** Opens a schema to copy it; does not change it. Rejects with an Error fit for users. */
export async function openSource(address: string, options: CopyOptions): Promise<CopySource> {
  const opened = await openSchema(address, options, 'source');
  const [open] = await opened.locked<{ count: number }>('SELECT count(*)::int AS count FROM {s}.completions');
  const count = open?.count ?? 0;
  if (count === 0) return new SchemaSource(opened);
  await opened.close('rollback');
  throw new CopyError(
    `agents have completed ${count} runs that no gateway has ended yet: start one, wait until it has, and stop it`,
  );
}

class SchemaSource implements CopySource {
  readonly name: string;
  readonly #opened: OpenSchema;
  readonly #now = Date.now();

  constructor(opened: OpenSchema) {
    this.name = opened.name;
    this.#opened = opened;
  }

  async counts(): Promise<Readonly<Record<CopiedKind, number>>> {
    const [row] = await this.#opened.locked<Record<CopiedKind, number>>(`SELECT
      (SELECT count(*) FROM {s}.conversations)::float8 AS sessions, (SELECT count(*) FROM {s}.uses)::float8 AS uses,
      (SELECT count(*) FROM {s}.counters)::float8 AS limits, (SELECT count(*) FROM {s}.claims)::float8 AS claims,
      (SELECT count(*) FROM {s}.recordings)::float8 AS recordings, (SELECT count(*) FROM {s}.audit)::float8 AS audit,
      (SELECT count(*) FROM {s}.notes)::float8 AS notes, (SELECT count(*) FROM {s}.results)::float8 AS "finishedRuns",
      (SELECT count(*) FROM {s}.queue)::float8 AS "pendingRuns"`);
    return (
      row ?? {
        sessions: 0,
        uses: 0,
        limits: 0,
        claims: 0,
        recordings: 0,
        audit: 0,
        notes: 0,
        finishedRuns: 0,
        pendingRuns: 0,
      }
    );
  }

  async *rows(kind: CopiedKind): AsyncGenerator<CopiedRow> {
    switch (kind) {
      case 'sessions':
        for await (const { id, memory, until } of this.#each<SessionRow>(selects.sessions, [this.#now])) {
          yield { kind, bytes: 100 + memory.length, id: restored(id), memory, until };
        }
        return;
      case 'uses':
        for await (const { id, ...rest } of this.#each<UseRow>(selects.uses, [this.#now])) {
          yield { kind, bytes: 100, id: restored(id), ...rest };
        }
        return;
      case 'limits':
        for await (const { limit, value, ...rest } of this.#each<LimitRow>(selects.limits, [this.#now])) {
          yield { kind, bytes: 200, limit: restored(limit), value: restored(value), ...rest };
        }
        return;
      case 'claims':
        for await (const { key, run, until } of this.#each<ClaimRow>(selects.claims, [this.#now])) {
          const claim = { key, plain: undefined };
          yield { kind, bytes: 300, claim, runId: restored(run), until: until ?? undefined };
        }
        return;
      case 'recordings':
        for await (const row of this.#each<RecordingRow & KeptRecording>(selects.recordings, [this.#now])) {
          const { size, until } = row;
          yield { kind, bytes: 500 + size, request: recordingOf(row), size, until };
        }
        return;
      case 'audit':
        for await (const row of this.#each<AuditRow & { readonly bytes: number }>(selects.audit)) {
          yield { kind, bytes: 200 + row.bytes, entry: auditEntryOf(row) };
        }
        return;
      case 'notes':
        for await (const { bytes, ...note } of this.#each<Note & { readonly bytes: number }>(selects.notes)) {
          yield { kind, bytes: 100 + bytes, note };
        }
        return;
      case 'finishedRuns':
        for await (const row of this.#each<FinishedRow>(selects.finishedRuns)) yield finishedRun(row);
        return;
      case 'pendingRuns':
        for await (const row of this.#each<PendingRow>(selects.pendingRuns)) yield this.#pendingRun(row);
    }
  }

  async close(): Promise<void> {
    await this.#opened.close('rollback');
  }

  /** By a cursor of the transaction, so that all rows are of one moment and few are in memory. */
  async *#each<Row>(select: string, values: readonly unknown[] = []): AsyncGenerator<Awaited<Row>> {
    await this.#opened.locked(`DECLARE copied NO SCROLL CURSOR FOR ${select}`, values);
    let size = page.first;
    for (;;) {
      const rows = await this.#opened.locked<Awaited<Row> & { readonly bytes: number }>(`FETCH ${size} FROM copied`);
      yield* rows;
      if (rows.length < size) break;
      const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
      const fitting = Math.floor((page.bytes * rows.length) / Math.max(bytes, 1));
      size = Math.min(Math.max(fitting, 1), size * 2, page.most);
    }
    await this.#opened.locked('CLOSE copied');
  }

  #pendingRun(row: PendingRow): RunRowCopy {
    const record = recordOf(row);
    const { burst, burstStartsAt: startsAt, burstEndsAt: endsAt } = row;
    const isHeld = burst !== null && startsAt !== null && endsAt !== null && record.attempt === 0;
    return {
      kind: 'pendingRuns',
      bytes: 1000 + row.bytes,
      ...partsOf(row),
      // A node that stops releases what it executes: this one has died.
      record: record.state === 'running' ? interruptedRun(record, { hasStopped: false, now: this.#now }) : record,
      claim: row.claim === null ? undefined : { key: row.claim, plain: undefined, keepOnFailure: row.keepClaim },
      reservations: row.reservations === null ? [] : reservationsIn(row.reservations),
      checkpoint: row.checkpoint ?? undefined,
      burst: isHeld ? { key: undefined, keyHash: burst, startsAt, endsAt } : undefined,
      callback: undefined,
    };
  }
}

interface SessionRow {
  readonly id: string;
  readonly memory: string;
  readonly until: number;
}

type UseRow = Pick<RowOf<'uses'>, 'id' | 'used' | 'until'>;
type LimitRow = Pick<RowOf<'limits'>, 'limit' | 'value' | 'at' | 'used' | 'open' | 'until'>;

interface ClaimRow {
  readonly key: string;
  readonly run: string;
  readonly until: number | null;
}

interface KeptRecording {
  readonly size: number;
  readonly until: number;
}

interface FinishedRow extends RunRow {
  readonly sent: number | null;
  readonly dueAt: number | null;
  readonly bytes: number;
}

interface PendingRow extends RunRow {
  readonly claim: string | null;
  readonly keepClaim: boolean;
  readonly reservations: string | null;
  readonly burst: string | null;
  readonly burstStartsAt: number | null;
  readonly burstEndsAt: number | null;
  readonly bytes: number;
}

const longTexts = 'coalesce(length(r.input), 0) + coalesce(length(r.origin), 0)';

/** What is copied of each kind; $1: now. `bytes`: about what a row takes. */
const selects: Readonly<Record<CopiedKind, string>> = {
  sessions:
    'SELECT id, memory, until::float8 AS until, length(memory) AS bytes FROM {s}.conversations WHERE until > $1',
  uses: 'SELECT id, used, until::float8 AS until, 100 AS bytes FROM {s}.uses WHERE until > $1',
  limits: `SELECT limit_id AS limit, value, opened_at AS at, used, open, until, 200 AS bytes FROM {s}.counters
    WHERE opened_at > -1e15 AND (until > $1 OR open > 0)`,
  claims: `SELECT key, run_id AS run, until::float8 AS until, 300 AS bytes FROM {s}.claims c
    WHERE until IS NULL OR until > $1 OR EXISTS (SELECT 1 FROM {s}.queue q WHERE q.id = c.run_id)`,
  recordings: `SELECT ${recordingColumns('NULL')}, c.size::float8 AS size, c.until::float8 AS until, c.size::float8 AS bytes
    FROM {s}.recordings c WHERE c.until > $1 ORDER BY c.received_at, c.id`,
  audit: `SELECT ${auditColumns}, length(entry) AS bytes FROM {s}.audit ORDER BY audit.at, id`,
  notes: 'SELECT key, text, version::float8 AS version, length(text) AS bytes FROM {s}.notes ORDER BY key',
  finishedRuns: `SELECT ${runColumns}, n.attempts AS sent, n.due_at::float8 AS "dueAt",
      ${longTexts} + coalesce(length(x.output), 0) AS bytes
    FROM {s}.runs r JOIN {s}.results x ON x.id = r.id LEFT JOIN {s}.queue q ON false
      LEFT JOIN {s}.notifications n ON n.id = r.id ORDER BY r.accepted_at, r.id`,
  pendingRuns: `SELECT ${runColumns}, q.claim, q.keep_claim AS "keepClaim", q.reservations::text AS reservations,
      q.checkpoint, q.burst, q.burst_starts_at::float8 AS "burstStartsAt", q.burst_ends_at::float8 AS "burstEndsAt",
      ${longTexts} + coalesce(length(q.checkpoint), 0) AS bytes
    FROM {s}.queue q JOIN {s}.runs r ON r.id = q.id LEFT JOIN {s}.results x ON false ORDER BY q.line`,
};

function finishedRun(row: FinishedRow): RunRowCopy {
  return {
    kind: 'finishedRuns',
    bytes: 1000 + row.bytes,
    ...partsOf(row),
    record: recordOf(row),
    ...{ claim: undefined, reservations: [], checkpoint: undefined, burst: undefined },
    callback: row.sent === null || row.dueAt === null ? undefined : { attempts: row.sent, dueAt: row.dueAt },
  };
}

function partsOf({ keep, notify, sessionTtl: sessionTtlMs, isMasked }: RunRow) {
  return { policy: { keep, notify, sessionTtlMs }, isMasked };
}

function reservationsIn(text: string): readonly LimitReservation[] {
  // Null: it was charged by limits of which nothing is reserved.
  const stored: readonly LimitReservation[] | null = JSON.parse(text);
  return (stored ?? []).map((one) => ({ ...one, limit: restored(one.limit), value: restored(one.value) }));
}
