/**
 * Each migrates a schema from the version that is its index to the next. A released one is never changed, and only adds:
 * during a rolling update, nodes of the version before go on. `{s}` is the schema.
 */
export const migrations: readonly string[] = [
  `
  CREATE SEQUENCE {s}.lines;

  -- Lives of nodes: a restart begins another one.
  CREATE TABLE {s}.nodes (
    life uuid PRIMARY KEY,
    info text NOT NULL,
    revision text NOT NULL,
    started_at bigint NOT NULL,
    revision_since bigint NOT NULL,
    -- It buries others only a whole lease after this.
    watches_since timestamptz NOT NULL,
    lease_until timestamptz NOT NULL
  );

  -- What revisions say of triggers. The newest revision that serves a trigger sets its limit for all nodes.
  CREATE TABLE {s}.revisions (revision text COLLATE "C" PRIMARY KEY, since bigint NOT NULL);
  CREATE TABLE {s}.lanes (
    revision text COLLATE "C" NOT NULL,
    lane text COLLATE "C" NOT NULL,
    served boolean NOT NULL,
    most int,
    per_value boolean NOT NULL,
    PRIMARY KEY (lane, revision)
  );

  -- What was accepted. A row is inserted once, and changed only to drop what its policy does not keep.
  CREATE TABLE {s}.runs (
    id text COLLATE "C" PRIMARY KEY,
    project text COLLATE "C" NOT NULL,
    trigger_key text COLLATE "C" NOT NULL,
    accepted_at bigint NOT NULL,
    request_id text COLLATE "C",
    keep text NOT NULL,
    notify boolean NOT NULL,
    is_masked boolean NOT NULL,
    session_ttl bigint NOT NULL,
    -- All else that does not change, as JSON.
    head text NOT NULL,
    value text,
    input text,
    origin text
  );
  CREATE INDEX runs_by_time ON {s}.runs (accepted_at, id);
  CREATE INDEX runs_by_trigger ON {s}.runs (trigger_key, accepted_at, id);
  CREATE INDEX runs_by_request ON {s}.runs (request_id) WHERE request_id IS NOT NULL;

  -- Runs that are not final. Small, however many have ended.
  CREATE TABLE {s}.queue (
    id text COLLATE "C" PRIMARY KEY,
    lane text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    conversation text COLLATE "C",
    -- ready: may start. blocked: waits for its turn in its session. held: is not in line before 'due'. paused: has its turn, and
    -- may start from 'due' on. running.
    phase text NOT NULL,
    -- Its place in line.
    line bigint NOT NULL,
    due bigint,
    -- The life that executes it, or did last.
    owner uuid,
    -- The only life that has its whole input.
    pinned uuid,
    accepted_at bigint NOT NULL,
    attempt int NOT NULL DEFAULT 0,
    interruptions int NOT NULL DEFAULT 0,
    started_at bigint,
    retry_at bigint,
    failed_attempts text,
    checkpoint text,
    usage text,
    cost text,
    reservations jsonb,
    claim text COLLATE "C",
    keep_claim boolean NOT NULL,
    burst text COLLATE "C",
    burst_starts_at bigint,
    burst_ends_at bigint
  ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
  CREATE INDEX queue_ready ON {s}.queue (lane, line) WHERE phase = 'ready' AND interruptions < 2;
  CREATE INDEX queue_values ON {s}.queue (lane, value, line) WHERE phase = 'ready' AND interruptions < 2 AND value <> '';
  CREATE INDEX queue_suspects ON {s}.queue (interruptions, line) WHERE interruptions > 0;
  CREATE INDEX queue_due ON {s}.queue (due) WHERE phase IN ('held', 'paused');
  CREATE INDEX queue_running ON {s}.queue (lane, value) WHERE phase = 'running';
  CREATE INDEX queue_owned ON {s}.queue (owner) WHERE phase = 'running';
  CREATE INDEX queue_pinned ON {s}.queue (pinned) WHERE pinned IS NOT NULL;
  CREATE INDEX queue_sessions ON {s}.queue (conversation, line) WHERE conversation IS NOT NULL;
  -- One of a session has the turn, whatever goes wrong elsewhere.
  CREATE UNIQUE INDEX queue_turns ON {s}.queue (conversation)
    WHERE conversation IS NOT NULL AND phase IN ('ready', 'paused', 'running');
  CREATE UNIQUE INDEX queue_bursts ON {s}.queue (burst) WHERE burst IS NOT NULL;

  -- Submissions that joined a burst, for a step that is repeated because its answer was lost.
  CREATE TABLE {s}.joined (id text COLLATE "C" PRIMARY KEY, run_id text NOT NULL, starts_at bigint NOT NULL, until bigint NOT NULL);
  CREATE INDEX joined_ending ON {s}.joined (until);

  -- What became of runs.
  CREATE TABLE {s}.results (
    id text COLLATE "C" PRIMARY KEY,
    state text NOT NULL,
    accepted_at bigint NOT NULL,
    finished_at bigint NOT NULL,
    started_at bigint,
    attempt int NOT NULL,
    interruptions int NOT NULL,
    -- The life that ended it.
    owner uuid,
    failed_attempts text,
    output text,
    failure text,
    failure_detail text,
    usage text,
    cost text,
    -- When what the policy does not keep is dropped: until then, other nodes read it for callers that wait.
    drop_at bigint
  );
  CREATE INDEX results_by_state ON {s}.results (state, accepted_at, id);
  CREATE INDEX results_by_end ON {s}.results (finished_at);
  CREATE INDEX results_dropping ON {s}.results (drop_at) WHERE drop_at IS NOT NULL;

  CREATE TABLE {s}.claims (key text COLLATE "C" PRIMARY KEY, run_id text NOT NULL, until bigint);
  CREATE INDEX claims_ending ON {s}.claims (until) WHERE until IS NOT NULL;

  CREATE TABLE {s}.conversations (id text COLLATE "C" PRIMARY KEY, memory text NOT NULL, until bigint NOT NULL);
  CREATE INDEX conversations_ending ON {s}.conversations (until);

  CREATE TABLE {s}.uses (id text COLLATE "C" PRIMARY KEY, used int NOT NULL, until bigint NOT NULL);
  CREATE INDEX uses_ending ON {s}.uses (until);

  CREATE TABLE {s}.counters (
    limit_id text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL,
    opened_at float8 NOT NULL,
    used float8 NOT NULL,
    open float8 NOT NULL,
    until float8 NOT NULL,
    PRIMARY KEY (limit_id, value)
  ) WITH (fillfactor = 70);
  CREATE INDEX counters_ending ON {s}.counters (until);
  -- How many values of a limit have a counter.
  CREATE TABLE {s}.counted_values (limit_id text COLLATE "C" PRIMARY KEY, count bigint NOT NULL);

  CREATE TABLE {s}.notifications (id text COLLATE "C" PRIMARY KEY, attempts int NOT NULL, due_at bigint NOT NULL);
  CREATE INDEX notifications_due ON {s}.notifications (due_at);

  CREATE TABLE {s}.completions (run_id text COLLATE "C" PRIMARY KEY, completion text NOT NULL);

  CREATE TABLE {s}.recordings (
    id text COLLATE "C" PRIMARY KEY,
    received_at bigint NOT NULL,
    project text COLLATE "C" NOT NULL,
    trigger_key text COLLATE "C" NOT NULL,
    request_id text COLLATE "C",
    run_id text COLLATE "C",
    verdict text NOT NULL,
    size bigint NOT NULL,
    until bigint NOT NULL,
    -- All else, as JSON.
    request text NOT NULL
  );
  CREATE INDEX recordings_by_time ON {s}.recordings (received_at, id);
  CREATE INDEX recordings_by_trigger ON {s}.recordings (trigger_key, received_at, id);
  CREATE INDEX recordings_by_request ON {s}.recordings (request_id) WHERE request_id IS NOT NULL;
  CREATE INDEX recordings_ending ON {s}.recordings (until);
  `,
  `
  -- False: recorded for its outcome alone.
  ALTER TABLE {s}.recordings ADD COLUMN sampled boolean NOT NULL DEFAULT true;
  CREATE INDEX recordings_of_outcome ON {s}.recordings (received_at, id) WHERE NOT sampled;
  `,
  // What operators did.
  `
  CREATE TABLE {s}.audit (
    id text COLLATE "C" PRIMARY KEY,
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    -- All else, as JSON.
    entry text NOT NULL
  );
  CREATE INDEX audit_by_time ON {s}.audit (at, id);
  `,
  // Small texts that gateways remember and share, e.g. the states of alerts.
  `
  CREATE TABLE {s}.notes (key text COLLATE "C" PRIMARY KEY, text text NOT NULL, version bigint NOT NULL);
  `,
];

/** Of schemas that this version writes. */
export const currentVersion = migrations.length;
