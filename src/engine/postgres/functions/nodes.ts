/** Lives of nodes: leases by the clock of the database, and what becomes of what a dead node has executed. */
export const nodeFunctions = `
-- A revision is as new as the moment at which a first node began to serve it; one that others serve stays as new as it is.
CREATE OR REPLACE FUNCTION {s}.v1_serves(node uuid, rev text, t bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO {s}.revisions VALUES (rev, t) ON CONFLICT (revision) DO UPDATE SET since = excluded.since
    WHERE NOT EXISTS (SELECT 1 FROM {s}.nodes n WHERE n.revision = rev AND n.life <> node);
END $$;

CREATE OR REPLACE FUNCTION {s}.v1_register(info text, rev text, lease_ms int) RETURNS uuid LANGUAGE plpgsql AS $$
DECLARE
  node uuid := gen_random_uuid();
  t bigint := {s}.v1_now(NULL);
BEGIN
  INSERT INTO {s}.nodes VALUES (node, info, rev, t, t, clock_timestamp(), clock_timestamp() + lease_ms * interval '1 ms');
  PERFORM {s}.v1_serves(node, rev, t);
  RETURN node;
END $$;

-- Queues again what lives have executed that are over: how many runs, and the ids of those that fail, for example since those lives
-- alone had their whole inputs.
CREATE OR REPLACE FUNCTION {s}.v2_requeue(lives uuid[], is_death boolean, max_interruptions int, t bigint) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  run text;
  q {s}.queue;
  n int;
  requeued int := 0;
  ended text[] := '{}';
  failed text;
BEGIN
  PERFORM {s}.v1_lock_sessions(ARRAY(SELECT conversation FROM {s}.queue
    WHERE conversation IS NOT NULL AND ((phase = 'running' AND owner = ANY (lives)) OR pinned = ANY (lives))));
  FOR run IN SELECT id FROM {s}.queue WHERE (phase = 'running' AND owner = ANY (lives)) OR pinned = ANY (lives)
      ORDER BY id FOR UPDATE LOOP
    -- As it is by now: the one before may have passed the turn to it.
    SELECT * INTO q FROM {s}.queue WHERE id = run;
    failed := q.failed_attempts;
    n := q.interruptions;
    IF q.phase = 'running' THEN
      n := n + is_death::int;
      failed := {s}.v1_failed(failed, json_build_object('attempt', q.attempt, 'startedAt', q.started_at,
        'message', CASE WHEN is_death THEN '{died}' ELSE '{stopped}' END)::text, t);
    END IF;
    q.failed_attempts := failed;
    q.interruptions := n;
    IF q.pinned IS NOT NULL THEN
      PERFORM {s}.v1_end_run(q, json_build_object('state', 'failed', 'failure', '{maskedInput}', 'usage', q.usage, 'cost', q.cost), t);
      ended := ended || q.id;
    ELSIF n >= max_interruptions THEN
      PERFORM {s}.v1_end_run(q, json_build_object('state', 'failed', 'failure',
        format('{tooOften}', n), 'usage', q.usage, 'cost', q.cost), t);
      ended := ended || q.id;
    ELSE
      -- After the first death at once: other nodes have survived it.
      UPDATE {s}.queue SET failed_attempts = failed, interruptions = n,
          phase = CASE WHEN n > 1 THEN 'paused' ELSE 'ready' END,
          due = CASE WHEN n > 1 THEN t + least({firstPauseMs} * 2 ^ (n - 2), {longestPauseMs})::bigint END
        WHERE id = q.id;
      requeued := requeued + 1;
    END IF;
  END LOOP;
  RETURN json_build_object('requeued', requeued, 'ended', ended);
END $$;

-- Renews a lease, then buries nodes whose lease is over. A node's row is locked while it is buried, so that it does not renew
-- its lease meanwhile; one that is buried has no row.
CREATE OR REPLACE FUNCTION {s}.v1_beat(node uuid, given text, rev text, lease_ms int, max_interruptions int, t_given bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  t bigint := {s}.v1_now(t_given);
  me {s}.nodes;
  is_new boolean;
  other uuid;
  dead uuid[] := '{}';
  burial json;
  lease interval := lease_ms * interval '1 ms';
BEGIN
  SELECT * INTO me FROM {s}.nodes WHERE life = node FOR UPDATE;
  IF NOT FOUND THEN RETURN '{"kind":"buried"}'; END IF;
  is_new := me.revision <> rev;
  UPDATE {s}.nodes SET lease_until = clock_timestamp() + lease, info = given, revision = rev,
      revision_since = CASE WHEN revision = rev THEN revision_since ELSE {s}.v1_now(NULL) END,
      -- Its own lease was over: the database was out of reach for all, or its clock has jumped. Then nobody is dead yet.
      watches_since = CASE WHEN me.lease_until < clock_timestamp() THEN clock_timestamp() ELSE watches_since END
    WHERE life = node RETURNING * INTO me;
  IF is_new THEN PERFORM {s}.v1_serves(node, rev, {s}.v1_now(NULL)); END IF;
  IF me.watches_since + lease < clock_timestamp() THEN
    FOR other IN SELECT life FROM {s}.nodes WHERE lease_until < clock_timestamp() AND life <> node ORDER BY life FOR UPDATE SKIP LOCKED LOOP
      -- It waits for steps in which that node takes runs.
      CONTINUE WHEN NOT pg_try_advisory_xact_lock(hashtextextended(other::text, 7303));
      DELETE FROM {s}.nodes WHERE life = other;
      dead := dead || other;
    END LOOP;
    IF cardinality(dead) > 0 THEN burial := {s}.v2_requeue(dead, true, max_interruptions, t); END IF;
  END IF;
  RETURN json_build_object('kind', 'alive', 'hasBuried', coalesce((burial->>'requeued')::int, 0) > 0, 'ended', coalesce(burial->'ended', '[]'),
    'queued', (SELECT count(*) FROM (SELECT 1 FROM {s}.queue WHERE phase <> 'running' LIMIT 1000000) AS q),
    'owned', (SELECT coalesce(json_agg(id), '[]') FROM {s}.queue WHERE owner = node AND phase = 'running'))::text;
END $$;

-- The ids of runs that have failed by it.
CREATE OR REPLACE FUNCTION {s}.v2_leave(node uuid, t_given bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  burial json;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtextextended(node::text, 7303));
  DELETE FROM {s}.nodes WHERE life = node;
  IF FOUND THEN burial := {s}.v2_requeue(ARRAY[node], false, NULL, {s}.v1_now(t_given)); END IF;
  RETURN coalesce(burial->>'ended', '[]');
END $$;

CREATE OR REPLACE FUNCTION {s}.v1_leave(node uuid, t_given bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM {s}.v2_leave(node, t_given);
END $$;

-- Releases runs that a node owns and does not execute: their answer came too late, or was lost.
CREATE OR REPLACE FUNCTION {s}.v1_release(node uuid, ids text[], t_given bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  t bigint := {s}.v1_now(t_given);
BEGIN
  PERFORM 1 FROM {s}.queue WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
  UPDATE {s}.queue SET phase = 'ready', due = NULL, failed_attempts = {s}.v1_failed(failed_attempts,
      json_build_object('attempt', attempt, 'startedAt', started_at, 'message', '{stopped}')::text, t)
    WHERE id = ANY (ids) AND owner = node AND phase = 'running';
END $$;

-- What a revision says of lanes.
CREATE OR REPLACE FUNCTION {s}.v1_rules(rev text, rules json) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO {s}.lanes SELECT rev, x.lane, x.served, x.most, x."perValue"
    FROM json_to_recordset(rules) AS x(lane text, served boolean, most int, "perValue" boolean) ORDER BY x.lane
    ON CONFLICT (lane, revision) DO UPDATE SET served = excluded.served, most = excluded.most, per_value = excluded.per_value;
END $$;

-- Takes notifications that are due: they are due again when their lease ends.
CREATE OR REPLACE FUNCTION {s}.v1_take_notifications(most int, lease_ms int, t_given bigint)
RETURNS TABLE (run_id text, sent int) LANGUAGE plpgsql AS $$
DECLARE
  t bigint := {s}.v1_now(t_given);
  ids text[] := ARRAY(SELECT n.id FROM {s}.notifications n WHERE n.due_at <= t ORDER BY n.due_at LIMIT most FOR UPDATE SKIP LOCKED);
BEGIN
  RETURN QUERY UPDATE {s}.notifications n SET due_at = t + lease_ms WHERE n.id = ANY (ids) RETURNING n.id, n.attempts;
END $$;

-- Drops what a policy does not keep of runs whose time for that has come and whose notifications have been delivered.
CREATE OR REPLACE FUNCTION {s}.v1_drop(most int, t bigint) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  ids text[] := ARRAY(SELECT r.id FROM {s}.results r WHERE r.drop_at <= t
    AND NOT EXISTS (SELECT 1 FROM {s}.notifications n WHERE n.id = r.id) ORDER BY r.drop_at LIMIT most FOR UPDATE SKIP LOCKED);
BEGIN
  UPDATE {s}.results SET drop_at = NULL, output = NULL WHERE id = ANY (ids);
  UPDATE {s}.runs SET input = NULL, origin = NULL, value = NULL WHERE id = ANY (ids);
  DELETE FROM {s}.results r USING {s}.runs u WHERE r.id = ANY (ids) AND u.id = r.id AND u.keep = 'none';
  DELETE FROM {s}.runs WHERE id = ANY (ids) AND keep = 'none';
  RETURN cardinality(ids);
END $$;

-- Removes some of what has expired. One node at a time does that. Returns how much of the kind that had most.
CREATE OR REPLACE FUNCTION {s}.v1_tidy(most int, age_ms bigint, excess bigint, t_given bigint) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  t bigint := {s}.v1_now(t_given);
  n int;
  removed int;
  ids text[];
  r record;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('{s}', 7305)) THEN RETURN 0; END IF;
  removed := {s}.v1_drop(most, t);
  -- Those whose notifications are pending must not hold up the others.
  ids := ARRAY(SELECT x.id FROM (SELECT s.id, s.finished_at, row_number() OVER (ORDER BY s.finished_at) AS place FROM {s}.results s
      WHERE NOT EXISTS (SELECT 1 FROM {s}.notifications f WHERE f.id = s.id) ORDER BY s.finished_at LIMIT most) AS x
    WHERE x.finished_at + age_ms <= t OR x.place <= excess);
  DELETE FROM {s}.results WHERE id = ANY (ids);
  DELETE FROM {s}.runs WHERE id = ANY (ids);
  removed := greatest(removed, cardinality(ids));
  DELETE FROM {s}.claims WHERE key = ANY (ARRAY(SELECT c.key FROM {s}.claims c WHERE c.until <= t
    AND NOT EXISTS (SELECT 1 FROM {s}.queue q WHERE q.id = c.run_id) ORDER BY c.until LIMIT most FOR UPDATE SKIP LOCKED)) AND until <= t;
  GET DIAGNOSTICS n = ROW_COUNT;
  removed := greatest(removed, n);
  DELETE FROM {s}.conversations WHERE id = ANY (ARRAY(SELECT id FROM {s}.conversations WHERE until <= t LIMIT most FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS n = ROW_COUNT;
  removed := greatest(removed, n);
  DELETE FROM {s}.joined WHERE id = ANY (ARRAY(SELECT id FROM {s}.joined WHERE until <= t LIMIT most FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS n = ROW_COUNT;
  removed := greatest(removed, n);
  DELETE FROM {s}.uses WHERE id = ANY (ARRAY(SELECT id FROM {s}.uses WHERE until <= t LIMIT most FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS n = ROW_COUNT;
  removed := greatest(removed, n);
  FOR r IN WITH gone AS (
      DELETE FROM {s}.counters WHERE (limit_id, value) IN (
        SELECT limit_id, value FROM {s}.counters WHERE until <= t ORDER BY limit_id, value LIMIT most FOR UPDATE SKIP LOCKED)
      RETURNING limit_id)
    SELECT limit_id, count(*) AS gone FROM gone GROUP BY limit_id ORDER BY limit_id LOOP
    UPDATE {s}.counted_values SET count = count - r.gone WHERE limit_id = r.limit_id;
    removed := greatest(removed, r.gone);
  END LOOP;
  DELETE FROM {s}.recordings WHERE id = ANY (ARRAY(SELECT id FROM {s}.recordings WHERE until <= t LIMIT most FOR UPDATE SKIP LOCKED));
  GET DIAGNOSTICS n = ROW_COUNT;
  removed := greatest(removed, n);
  -- Of revisions that no node has served for a day.
  DELETE FROM {s}.revisions v WHERE v.since < {s}.v1_now(NULL) - 86400000
    AND NOT EXISTS (SELECT 1 FROM {s}.nodes s WHERE s.revision = v.revision);
  DELETE FROM {s}.lanes a WHERE NOT EXISTS (SELECT 1 FROM {s}.revisions v WHERE v.revision = a.revision)
    AND NOT EXISTS (SELECT 1 FROM {s}.nodes s WHERE s.revision = a.revision);
  RETURN removed;
END $$;
`;
