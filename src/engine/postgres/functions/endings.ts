/** How a run leaves the queue. */
export const endFunctions = `
CREATE OR REPLACE FUNCTION {s}.v1_now(t bigint) RETURNS bigint LANGUAGE sql AS $$
  SELECT coalesce(t, floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint)
$$;

-- Locks sessions. Everybody locks them in the same order, and before rows of the queue.
CREATE OR REPLACE FUNCTION {s}.v1_lock_sessions(names text[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(h) FROM (
    SELECT DISTINCT hashtextextended(n, 7301) AS h FROM unnest(names) AS n WHERE n IS NOT NULL ORDER BY 1) AS ordered;
END $$;

-- Passes the turn of a session to the next in line.
CREATE OR REPLACE FUNCTION {s}.v1_pass_turn(c text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  UPDATE {s}.queue SET phase = 'ready' WHERE id = (
    SELECT id FROM {s}.queue WHERE conversation = c AND phase = 'blocked' ORDER BY line LIMIT 1);
  RETURN FOUND;
END $$;

-- What a session remembers. Without a memory it remembers what it did, for longer.
CREATE OR REPLACE FUNCTION {s}.v1_touch(c text, m text, ttl bigint, t bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF c IS NULL THEN
    RETURN;
  ELSIF m IS NULL THEN
    UPDATE {s}.conversations SET until = t + ttl WHERE id = c AND until > t;
  ELSE
    INSERT INTO {s}.conversations VALUES (c, m, t + ttl)
      ON CONFLICT (id) DO UPDATE SET memory = excluded.memory, until = excluded.until;
  END IF;
END $$;

-- Makes a run final whose row of the queue and whose session are locked. Whether another run of its session may start now.
CREATE OR REPLACE FUNCTION {s}.v1_end_run(q {s}.queue, e json, t bigint) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  state text := e->>'state';
  policy record;
BEGIN
  SELECT keep, notify, session_ttl INTO policy FROM {s}.runs WHERE id = q.id;
  DELETE FROM {s}.queue WHERE id = q.id;
  INSERT INTO {s}.results VALUES (
    q.id, state, q.accepted_at, t, q.started_at, q.attempt, q.interruptions, q.owner, q.failed_attempts, e->>'output',
    e->>'failure', e->>'failureDetail', e->>'usage', e->>'cost',
    CASE WHEN policy.keep <> 'full' THEN t + {dropAfterMs} END);
  IF q.claim IS NOT NULL AND state IN ('failed', 'cancelled') AND NOT q.keep_claim THEN
    DELETE FROM {s}.claims WHERE key = q.claim AND run_id = q.id;
  END IF;
  IF policy.notify THEN INSERT INTO {s}.notifications VALUES (q.id, 0, t) ON CONFLICT DO NOTHING; END IF;
  IF q.attempt > 0 THEN DELETE FROM {s}.completions WHERE run_id = q.id; END IF;
  IF q.reservations IS NOT NULL THEN
    PERFORM {s}.v1_settle(q.reservations, q.attempt, state, (e->>'usage')::json, (e->>'cost')::json, t);
  END IF;
  IF q.conversation IS NULL THEN RETURN false; END IF;
  PERFORM {s}.v1_touch(q.conversation, e->>'memory', policy.session_ttl, t);
  RETURN q.phase IN ('ready', 'paused', 'running') AND {s}.v1_pass_turn(q.conversation);
END $$;

-- Appends an attempt that ended now to those that failed, as JSON.
CREATE OR REPLACE FUNCTION {s}.v1_failed(before text, attempt text, t bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(left(before, -1) || ',', '[') || left(attempt, -1) || ',"endedAt":' || t || '}]'
$$;

-- What attempts write, and how they end. Only the attempt that the queue has as running writes (fence).
CREATE OR REPLACE FUNCTION {s}.v1_write(life uuid, batch json, t_given bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  t bigint := {s}.v1_now(t_given);
  ids text[];
  ending text[];
  losing text[];
  o json;
  q {s}.queue;
  is_done boolean;
  has_freed boolean;
  answers jsonb[] := '{}';
BEGIN
  SELECT array_agg(DISTINCT a->>'runId'), array_agg(a->>'runId') FILTER (WHERE a->>'kind' = 'end'),
      array_agg(a->>'runId') FILTER (WHERE a->>'state' IN ('failed', 'cancelled'))
    INTO ids, ending, losing FROM json_array_elements(batch) AS a;
  PERFORM {s}.v1_lock_sessions(ARRAY(SELECT conversation FROM {s}.queue WHERE id = ANY (ids) AND conversation IS NOT NULL));
  PERFORM 1 FROM {s}.queue WHERE id = ANY (ids) ORDER BY id FOR UPDATE;
  -- Claims, then counters, each in the order of all steps.
  IF losing IS NOT NULL THEN
    PERFORM 1 FROM {s}.claims WHERE key = ANY (ARRAY(SELECT claim FROM {s}.queue WHERE id = ANY (losing) AND NOT keep_claim))
      ORDER BY key FOR UPDATE;
  END IF;
  IF ending IS NOT NULL THEN
    PERFORM 1 FROM {s}.counters c WHERE (c.limit_id, c.value) IN (
        SELECT r->>'limit', r->>'value' FROM {s}.queue e, jsonb_array_elements(e.reservations) AS r
        WHERE e.id = ANY (ending) AND e.reservations IS NOT NULL)
      ORDER BY c.limit_id, c.value FOR UPDATE;
  END IF;
  FOR o IN SELECT * FROM json_array_elements(batch) LOOP
    SELECT * INTO q FROM {s}.queue
      WHERE id = o->>'runId' AND owner = life AND attempt = (o->>'attempt')::int AND phase = 'running';
    IF NOT FOUND THEN
      -- It may be stored already, if the answer was lost.
      is_done := CASE o->>'kind'
        WHEN 'end' THEN EXISTS (SELECT 1 FROM {s}.results WHERE id = o->>'runId' AND owner = life AND attempt = (o->>'attempt')::int
          AND state = o->>'state')
        WHEN 'retry' THEN EXISTS (SELECT 1 FROM {s}.queue WHERE id = o->>'runId' AND owner = life AND attempt = (o->>'attempt')::int
          AND retry_at IS NOT NULL)
        ELSE false END;
      answers := answers || CASE WHEN is_done THEN jsonb_build_object('at', t) ELSE 'null'::jsonb END;
      CONTINUE;
    END IF;
    has_freed := false;
    CASE o->>'kind'
      WHEN 'end' THEN
        has_freed := {s}.v1_end_run(q, o, t);
      WHEN 'retry' THEN
        UPDATE {s}.queue SET phase = 'paused', due = t + (o->>'delayMs')::bigint, retry_at = t + (o->>'delayMs')::bigint,
            failed_attempts = {s}.v1_failed(failed_attempts, o->>'failed', t), checkpoint = NULL, interruptions = 0,
            usage = o->>'usage', cost = o->>'cost'
          WHERE id = q.id;
        PERFORM {s}.v1_touch(q.conversation, o->>'memory', (SELECT session_ttl FROM {s}.runs WHERE id = q.id), t);
      WHEN 'save' THEN
        UPDATE {s}.queue SET checkpoint = o->>'checkpoint' WHERE id = q.id;
      WHEN 'remember' THEN
        PERFORM {s}.v1_touch(q.conversation, o->>'memory', (SELECT session_ttl FROM {s}.runs WHERE id = q.id), t);
      WHEN 'trust' THEN
        UPDATE {s}.queue SET interruptions = 0 WHERE id = q.id;
    END CASE;
    answers := answers || jsonb_build_object('at', t, 'hasFreed', has_freed);
  END LOOP;
  RETURN to_json(answers)::text;
END $$;

-- Ends a run that is not final, on any node.
CREATE OR REPLACE FUNCTION {s}.v1_cancel(run text, t_given bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  t bigint := {s}.v1_now(t_given);
  q {s}.queue;
  final record;
BEGIN
  PERFORM {s}.v1_lock_sessions(ARRAY(SELECT conversation FROM {s}.queue WHERE id = run AND conversation IS NOT NULL));
  SELECT * INTO q FROM {s}.queue WHERE id = run FOR UPDATE;
  IF FOUND THEN
    PERFORM {s}.v1_end_run(q, json_build_object('state', 'cancelled', 'usage', q.usage, 'cost', q.cost), t);
    RETURN json_build_object('kind', 'cancelled', 'owner', CASE WHEN q.phase = 'running' THEN q.owner END)::text;
  END IF;
  SELECT r.state, r.owner INTO final FROM {s}.results r WHERE r.id = run;
  IF FOUND THEN RETURN json_build_object('kind', 'already_final', 'state', final.state, 'owner', final.owner)::text; END IF;
  RETURN json_build_object('kind', 'not_found')::text;
END $$;
`;
