/** Starting runs: exactly within the limits of their lanes, whatever other nodes do at the same time. */
export const takeFunctions = `
-- Lets those whose time has come line up. A run that was held may find its session busy. Not in lanes of which the revision has no
-- rule yet: between waking and starting, another request would join a burst that is over.
CREATE OR REPLACE FUNCTION {s}.v1_wake(rev text, t bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  w record;
BEGIN
  FOR w IN SELECT id, phase, conversation FROM {s}.queue q WHERE phase IN ('held', 'paused') AND due <= t
      AND EXISTS (SELECT 1 FROM {s}.lanes s WHERE s.lane = q.lane AND s.revision = rev)
      ORDER BY due, line LIMIT 500 FOR UPDATE SKIP LOCKED LOOP
    IF w.phase = 'paused' THEN
      UPDATE {s}.queue SET phase = 'ready', due = NULL WHERE id = w.id;
    -- Who has the lock may wait for this row.
    ELSIF w.conversation IS NULL OR pg_try_advisory_xact_lock(hashtextextended(w.conversation, 7301)) THEN
      UPDATE {s}.queue SET due = NULL, line = nextval('{s}.lines'), phase = CASE
          WHEN w.conversation IS NOT NULL AND EXISTS (SELECT 1 FROM {s}.queue o
            WHERE o.conversation = w.conversation AND o.phase IN ('ready', 'paused', 'running')) THEN 'blocked' ELSE 'ready' END
        WHERE id = w.id;
    END IF;
  END LOOP;
END $$;

-- The rule of a lane: from the newest revision that serves it. One that no node serves was rolled back, or is starting: it counts
-- only where no node serves the lane.
CREATE OR REPLACE FUNCTION {s}.v1_rule(l text, OUT most int, OUT per_value boolean) LANGUAGE sql STABLE AS $$
  SELECT s.most, s.per_value FROM {s}.lanes s JOIN {s}.revisions r USING (revision) WHERE s.lane = l AND s.served
  ORDER BY EXISTS (SELECT 1 FROM {s}.nodes n WHERE n.revision = r.revision) DESC, r.since DESC, r.revision LIMIT 1
$$;

-- Whether runs of a lane that a revision does not serve are taken by it, and fail. Not while another node may know their trigger,
-- nor while a newer revision that knows it has no node: its node may have died during a rolling update. What nodes know of each
-- other is as old as their last beat, so the store looks itself.
CREATE OR REPLACE FUNCTION {s}.v1_is_unserved(l text, rev text) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT NOT EXISTS (SELECT 1 FROM {s}.nodes n WHERE n.revision <> rev) AND NOT EXISTS (
    SELECT 1 FROM {s}.revisions mine JOIN {s}.revisions r ON r.since > mine.since
    LEFT JOIN {s}.lanes s ON s.revision = r.revision AND s.lane = l
    WHERE mine.revision = rev AND coalesce(s.served, true))
$$;

-- The first values after one of which a lane has a run ready, found by one probe each.
CREATE OR REPLACE FUNCTION {s}.v1_ready_values(l text, last text, most int) RETURNS text[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  found_values text[] := '{}';
BEGIN
  WHILE cardinality(found_values) < most LOOP
    SELECT q.value INTO last FROM {s}.queue q WHERE q.lane = l AND q.phase = 'ready' AND q.interruptions < 2 AND q.value <> ''
      AND q.value > last ORDER BY q.value LIMIT 1;
    EXIT WHEN NOT FOUND;
    found_values := found_values || last;
  END LOOP;
  RETURN found_values;
END $$;

-- Starts runs that are ready. The rows are found and locked by a statement of their own: within an UPDATE, a plan may evaluate
-- such a query more than once, and exceed its limit.
CREATE OR REPLACE FUNCTION {s}.v1_start(life uuid, ids text[], t bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  UPDATE {s}.queue SET phase = 'running', owner = life, attempt = attempt + 1, started_at = t, due = NULL, retry_at = NULL,
      burst = NULL, burst_starts_at = NULL, burst_ends_at = NULL
    WHERE id = ANY (ids);
END $$;

CREATE OR REPLACE FUNCTION {s}.v1_take(life uuid, want json, t bigint) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  wanted int := (want->>'runs')::int;
  caps json := want->'caps';
  turn_lane text := coalesce(want->'turn'->>'lane', '');
  turn_values jsonb := coalesce((want->'turn'->>'values')::jsonb, '{}');
  started text[] := '{}';
  ids text[];
  unknown text[] := '{}';
  lanes text[];
  vals text[];
  turn_value text;
  l text;
  v text;
  mine {s}.lanes;
  rule record;
  room int;
  busy int;
  lanes_left int;
  is_contended boolean := false;
  has_more boolean := false;
  next_due bigint;
BEGIN
  -- A node that is being buried gets nothing: burials wait for this lock.
  PERFORM pg_advisory_xact_lock_shared(hashtextextended(life::text, 7303));
  PERFORM 1 FROM {s}.nodes n WHERE n.life = v1_take.life AND n.lease_until > clock_timestamp();
  IF NOT FOUND THEN RETURN json_build_object('runs', '[]'::json, 'unknown', '[]'::json, 'turn', want->'turn', 'hasMore', false); END IF;
  PERFORM {s}.v1_wake(want->>'revision', t);

  -- Lanes that have a run ready, found by one probe each.
  WITH RECURSIVE found AS (
    (SELECT q.lane FROM {s}.queue q WHERE q.phase = 'ready' AND q.interruptions < 2 ORDER BY q.lane LIMIT 1)
    UNION ALL
    SELECT (SELECT q.lane FROM {s}.queue q WHERE q.phase = 'ready' AND q.interruptions < 2 AND q.lane > f.lane ORDER BY q.lane LIMIT 1)
    FROM found f WHERE f.lane IS NOT NULL)
  SELECT array_agg(f.lane ORDER BY f.lane <= turn_lane, f.lane) INTO lanes FROM found f WHERE f.lane IS NOT NULL;
  lanes_left := coalesce(cardinality(lanes), 0);

  FOREACH l IN ARRAY coalesce(lanes, '{}') LOOP
    SELECT * INTO mine FROM {s}.lanes s WHERE s.lane = l AND s.revision = want->>'revision';
    IF NOT FOUND THEN
      unknown := unknown || l;
      CONTINUE;
    END IF;
    lanes_left := lanes_left - 1;
    CONTINUE WHEN NOT mine.served AND NOT ((want->>'unserved')::boolean AND {s}.v1_is_unserved(l, want->>'revision'));
    SELECT * INTO rule FROM {s}.v1_rule(l);
    -- Every lane gets a share, and the last ones what the others have left.
    room := least(wanted - cardinality(started), coalesce((caps->>l)::int, wanted));
    IF lanes_left > 0 THEN room := least(room, greatest(1, (wanted - cardinality(started)) / (lanes_left + 1))); END IF;
    IF room <= 0 THEN
      has_more := has_more OR cardinality(started) >= wanted;
      CONTINUE;
    END IF;
    IF rule.most IS NOT NULL AND NOT pg_try_advisory_xact_lock(hashtextextended(l, 7302)) THEN
      -- Another node is counting it.
      is_contended := true;
      CONTINUE;
    END IF;
    IF rule.most IS NULL OR NOT rule.per_value THEN
      IF rule.most IS NOT NULL THEN
        SELECT count(*) INTO busy FROM {s}.queue q WHERE q.lane = l AND q.phase = 'running';
        room := least(room, rule.most - busy);
        CONTINUE WHEN room <= 0;
      END IF;
      ids := ARRAY(SELECT q.id FROM {s}.queue q WHERE q.lane = l AND q.phase = 'ready' AND q.interruptions < 2
        AND (q.pinned IS NULL OR q.pinned = life) ORDER BY q.line LIMIT room FOR UPDATE SKIP LOCKED);
      CONTINUE WHEN cardinality(ids) = 0;
      PERFORM {s}.v1_start(life, ids, t);
      started := started || ids;
      turn_lane := l;
      CONTINUE;
    END IF;
    -- Values take turns: those after the one that was looked at last, then from the beginning; runs without a value are one of them.
    turn_value := coalesce(turn_values->>l, '');
    vals := {s}.v1_ready_values(l, turn_value, 300);
    IF cardinality(vals) < 300 THEN
      vals := vals || ''::text || ARRAY(SELECT f FROM unnest({s}.v1_ready_values(l, '', 300)) AS f WHERE f <= turn_value);
    END IF;
    turn_values := turn_values || jsonb_build_object(l, vals[cardinality(vals)]);
    LOOP
      busy := cardinality(started);
      FOREACH v IN ARRAY vals LOOP
        EXIT WHEN room <= 0;
        CONTINUE WHEN (SELECT count(*) FROM {s}.queue q WHERE q.lane = l AND q.phase = 'running' AND q.value = v) >= rule.most;
        ids := ARRAY(SELECT q.id FROM {s}.queue q WHERE q.lane = l AND q.value = v AND q.phase = 'ready' AND q.interruptions < 2
          AND (q.pinned IS NULL OR q.pinned = life) ORDER BY q.line LIMIT 1 FOR UPDATE SKIP LOCKED);
        CONTINUE WHEN cardinality(ids) = 0;
        PERFORM {s}.v1_start(life, ids, t);
        started := started || ids;
        room := room - 1;
        turn_lane := l;
        turn_values := turn_values || jsonb_build_object(l, v);
      END LOOP;
      EXIT WHEN room <= 0 OR cardinality(started) = busy;
    END LOOP;
  END LOOP;

  unknown := unknown || ARRAY(SELECT DISTINCT q.lane FROM {s}.queue q WHERE q.phase = 'ready' AND q.interruptions > 1
    AND q.lane <> ALL (unknown)
    AND NOT EXISTS (SELECT 1 FROM {s}.lanes s WHERE s.lane = q.lane AND s.revision = want->>'revision') LIMIT 100);
  -- What several deaths have interrupted may be their cause: one of them at a time, in all nodes.
  IF cardinality(started) < wanted AND (want->>'suspect')::boolean
      AND EXISTS (SELECT 1 FROM {s}.queue q WHERE q.phase = 'ready' AND q.interruptions > 1)
      AND pg_try_advisory_xact_lock(hashtextextended('{s}', 7304)) THEN
    IF NOT EXISTS (SELECT 1 FROM {s}.queue q WHERE q.phase = 'running' AND q.interruptions > 1) THEN
      SELECT q.lane, q.value, q.id INTO rule FROM {s}.queue q WHERE q.phase = 'ready' AND q.interruptions > 1
        AND (q.pinned IS NULL OR q.pinned = life)
        AND EXISTS (SELECT 1 FROM {s}.lanes s WHERE s.lane = q.lane AND s.revision = want->>'revision'
          AND (s.served OR (want->>'unserved')::boolean AND {s}.v1_is_unserved(q.lane, want->>'revision')))
        ORDER BY q.interruptions, q.line LIMIT 1 FOR UPDATE SKIP LOCKED;
      IF FOUND AND coalesce((caps->>rule.lane)::int, 1) > 0 AND pg_try_advisory_xact_lock(hashtextextended(rule.lane, 7302)) THEN
        l := rule.lane;
        v := rule.value;
        ids := ARRAY[rule.id];
        SELECT * INTO rule FROM {s}.v1_rule(l);
        SELECT count(*) INTO busy FROM {s}.queue q
          WHERE q.lane = l AND q.phase = 'running' AND (NOT coalesce(rule.per_value, false) OR q.value = v);
        IF rule.most IS NULL OR busy < rule.most THEN
          PERFORM {s}.v1_start(life, ids, t);
          started := started || ids;
        END IF;
      END IF;
    END IF;
  END IF;

  unknown := unknown || ARRAY(SELECT DISTINCT q.lane FROM {s}.queue q WHERE q.phase IN ('held', 'paused') AND q.due <= t
    AND NOT q.lane = ANY (unknown)
    AND NOT EXISTS (SELECT 1 FROM {s}.lanes s WHERE s.lane = q.lane AND s.revision = want->>'revision') LIMIT 100);
  SELECT min(due) INTO next_due FROM {s}.queue WHERE phase IN ('held', 'paused');
  RETURN json_build_object(
    'runs', coalesce((
      SELECT json_agg(taken ORDER BY taken.place) FROM (
        SELECT r.id, r.project, r.trigger_key AS trigger, r.accepted_at AS "acceptedAt", r.request_id AS "requestId", r.keep, r.notify,
          r.is_masked AS "isMasked", r.session_ttl AS "sessionTtl", r.head, r.value, r.input, r.origin, q.phase, q.attempt,
          q.interruptions, q.started_at AS "startedAt", q.failed_attempts AS "failedAttempts", q.checkpoint, q.usage, q.cost,
          (SELECT c.memory FROM {s}.conversations c WHERE c.id = q.conversation AND c.until > t) AS memory, i.place
        FROM unnest(started) WITH ORDINALITY AS i(id, place) JOIN {s}.queue q USING (id) JOIN {s}.runs r USING (id)) AS taken), '[]'::json),
    'unknown', to_json(unknown),
    'turn', json_build_object('lane', turn_lane, 'values', turn_values),
    'hasMore', has_more OR cardinality(started) >= wanted,
    'nextInMs', CASE WHEN is_contended THEN 20 WHEN next_due IS NOT NULL THEN greatest(next_due - t, 1) END);
END $$;
`;
