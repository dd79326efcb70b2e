import type { CopiedKind } from '../../copy/copied-rows.ts';

/** Inserts rows of a kind from the JSON in $1, and returns `n` of each with its outcome; none: it was there. One transaction. */
export function insertOf(kind: CopiedKind): string {
  return inserts[kind];
}

const outcomes = "SELECT g.n, 'copied' AS outcome FROM given g";

const runColumns = `n int, id text, project text, trigger text, "acceptedAt" bigint, "requestId" text, keep text, notify boolean,
  "isMasked" boolean, "sessionTtl" bigint, head text, value text, input text, origin text, attempt int, interruptions int,
  "startedAt" bigint, usage text, cost text, "failedAttempts" text`;

/** The runs that were not there are in \`new\`. */
function withRuns(columns: string, rest: string): string {
  return `WITH given AS (SELECT * FROM json_to_recordset($1::json) AS x(${runColumns}, ${columns})),
    new AS (
      INSERT INTO {s}.runs (id, project, trigger_key, accepted_at, request_id, keep, notify, is_masked, session_ttl, head, value,
          input, origin)
        SELECT id, project, trigger, "acceptedAt", "requestId", keep, notify, "isMasked", "sessionTtl", head, value, input, origin
        FROM given ORDER BY n ON CONFLICT DO NOTHING RETURNING id),
    ${rest}
    SELECT g.n, CASE WHEN new.id IS NOT NULL THEN 'copied' ELSE 'unfinished' END AS outcome FROM given g LEFT JOIN new USING (id)
      WHERE new.id IS NOT NULL OR EXISTS (SELECT 1 FROM {s}.queue q WHERE q.id = g.id)`;
}

const inserts: Readonly<Record<CopiedKind, string>> = {
  sessions: `WITH given AS (SELECT * FROM json_to_recordset($1::json) AS x(n int, id text, memory text, until bigint)),
    new AS (INSERT INTO {s}.conversations (id, memory, until) SELECT id, memory, until FROM given ON CONFLICT DO NOTHING RETURNING id)
    ${outcomes} JOIN new USING (id)`,
  uses: `WITH given AS (SELECT * FROM json_to_recordset($1::json) AS x(n int, id text, used int, until bigint)),
    new AS (INSERT INTO {s}.uses (id, used, until) SELECT id, used, until FROM given ON CONFLICT DO NOTHING RETURNING id)
    ${outcomes} JOIN new USING (id)`,
  limits: `WITH given AS (SELECT * FROM json_to_recordset($1::json)
      AS x(n int, "limit" text, value text, at float8, used float8, open float8, until float8)),
    new AS (
      INSERT INTO {s}.counters (limit_id, value, opened_at, used, open, until)
        SELECT "limit", value, at, used, open, until FROM given ON CONFLICT DO NOTHING RETURNING limit_id, value),
    counted AS (
      INSERT INTO {s}.counted_values (limit_id, count) SELECT limit_id, count(*) FROM new GROUP BY limit_id
        ON CONFLICT (limit_id) DO UPDATE SET count = {s}.counted_values.count + excluded.count)
    ${outcomes} JOIN new ON new.limit_id = g."limit" AND new.value = g.value`,
  claims: `WITH given AS (SELECT * FROM json_to_recordset($1::json) AS x(n int, key text, run text, until bigint)),
    new AS (
      INSERT INTO {s}.claims (key, run_id, until) SELECT key, run, until FROM given g
        WHERE NOT EXISTS (SELECT 1 FROM {s}.runs r WHERE r.id = g.run) ON CONFLICT DO NOTHING RETURNING key)
    ${outcomes} JOIN new USING (key)`,
  recordings: `WITH given AS (SELECT * FROM json_to_recordset($1::json) AS x(n int, id text, "receivedAt" bigint, project text,
      trigger text, "requestId" text, "runId" text, verdict text, size bigint, until bigint, request text, sampled boolean)),
    new AS (
      INSERT INTO {s}.recordings (id, received_at, project, trigger_key, request_id, run_id, verdict, size, until, request, sampled)
        SELECT id, "receivedAt", project, trigger, "requestId", "runId", verdict, size, until, request, sampled FROM given
        ON CONFLICT DO NOTHING RETURNING id)
    ${outcomes} JOIN new USING (id)`,
  audit: `WITH given AS (SELECT * FROM json_to_recordset($1::json) AS x(n int, id text, at bigint, actor text, action text, entry text)),
    new AS (INSERT INTO {s}.audit (id, at, actor, action, entry) SELECT id, at, actor, action, entry FROM given
      ON CONFLICT DO NOTHING RETURNING id)
    ${outcomes} JOIN new USING (id)`,
  notes: `WITH given AS (SELECT * FROM json_to_recordset($1::json) AS x(n int, key text, text text, version bigint)),
    new AS (INSERT INTO {s}.notes (key, text, version) SELECT key, text, version FROM given ON CONFLICT DO NOTHING RETURNING key)
    ${outcomes} JOIN new USING (key)`,
  finishedRuns: withRuns(
    `state text, "finishedAt" bigint, output text, failure text, "failureDetail" text, "dropAt" bigint, sent int, "dueAt" bigint`,
    `ended AS (
      INSERT INTO {s}.results (id, state, accepted_at, finished_at, started_at, attempt, interruptions, failed_attempts, output,
          failure, failure_detail, usage, cost, drop_at)
        SELECT id, state, "acceptedAt", "finishedAt", "startedAt", attempt, interruptions, "failedAttempts", output, failure,
          "failureDetail", usage, cost, "dropAt" FROM given JOIN new USING (id)),
    callbacks AS (
      INSERT INTO {s}.notifications (id, attempts, due_at)
        SELECT id, sent, "dueAt" FROM given JOIN new USING (id) WHERE sent IS NOT NULL ON CONFLICT DO NOTHING)`,
  ),
  // A burst has one run that others join: the last that began one with its key.
  pendingRuns: withRuns(
    `lane text, "placeValue" text, conversation text, phase text, due bigint, pinned uuid, "retryAt" bigint, checkpoint text,
      reservations jsonb, claim text, "keepClaim" boolean, burst text, "burstStartsAt" bigint, "burstEndsAt" bigint`,
    `waiting AS (
      INSERT INTO {s}.queue (id, lane, value, conversation, phase, line, due, pinned, accepted_at, attempt, interruptions, started_at,
          retry_at, failed_attempts, checkpoint, usage, cost, reservations, claim, keep_claim, burst, burst_starts_at, burst_ends_at)
        SELECT id, lane, "placeValue", conversation, phase, nextval('{s}.lines'), due, pinned, "acceptedAt", attempt, interruptions,
          "startedAt", "retryAt", "failedAttempts", checkpoint, usage, cost, reservations, claim, "keepClaim",
          CASE WHEN is_last AND NOT EXISTS (SELECT 1 FROM {s}.queue q WHERE q.burst = o.burst) THEN burst END,
          "burstStartsAt", "burstEndsAt"
        FROM (SELECT given.*, row_number() OVER (PARTITION BY burst ORDER BY n DESC) = 1 AS is_last
          FROM given JOIN new USING (id) ORDER BY n) AS o)`,
  ),
};

/** Lets the first run of each session start whose session has none that may. $1: now. */
export const passTurns = `UPDATE {s}.queue q SET phase = CASE WHEN q.due > $1 THEN 'paused' ELSE 'ready' END,
    due = CASE WHEN q.due > $1 THEN q.due END
  WHERE q.id IN (
    SELECT DISTINCT ON (b.conversation) b.id FROM {s}.queue b WHERE b.phase = 'blocked'
      AND NOT EXISTS (SELECT 1 FROM {s}.queue o
        WHERE o.conversation = b.conversation AND o.phase IN ('ready', 'paused', 'running'))
    ORDER BY b.conversation, b.attempt = 0, b.line)`;
