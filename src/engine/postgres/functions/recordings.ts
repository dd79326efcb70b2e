/** Recorded requests: a sample, which may lose its last second. */
export const recordingFunctions = `
-- Adds requests, each id once, and drops what exceeds the bounds of their triggers and of all, the oldest first.
CREATE OR REPLACE FUNCTION {s}.v1_record(batch json, triggers json, most bigint, age_ms bigint, most_bytes bigint, t bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  r record;
  total record;
  -- At once: what was added, and some of what others have left.
  step int := 1000 + json_array_length(batch);
BEGIN
  INSERT INTO {s}.recordings
      (id, received_at, project, trigger_key, request_id, run_id, verdict, size, until, request, sampled)
    SELECT x.id, x."receivedAt", x.project, x.trigger, x."requestId", x."runId", x.verdict, x.size, x.until, x.request,
      coalesce(x.sampled, true)
    FROM json_to_recordset(batch) AS x(id text, "receivedAt" bigint, project text, trigger text, "requestId" text, "runId" text,
      verdict text, size bigint, until bigint, request text, sampled boolean) ORDER BY x.id
    ON CONFLICT DO NOTHING;
  -- One node at a time drops: the others go on.
  IF NOT pg_try_advisory_xact_lock(hashtextextended('{s}', 7306)) THEN RETURN; END IF;
  DELETE FROM {s}.recordings WHERE id = ANY (ARRAY(
    SELECT id FROM {s}.recordings WHERE until <= t OR received_at <= t - age_ms LIMIT step));
  FOR r IN SELECT * FROM json_to_recordset(triggers) AS x(project text, trigger text, count bigint, "ageMs" bigint)
      WHERE x.count IS NOT NULL OR x."ageMs" IS NOT NULL LOOP
    DELETE FROM {s}.recordings WHERE id = ANY (ARRAY(
      SELECT c.id FROM {s}.recordings c WHERE c.trigger_key = r.trigger AND c.project = r.project AND c.received_at <= t - r."ageMs" LIMIT step));
    DELETE FROM {s}.recordings WHERE id = ANY (ARRAY(
      SELECT c.id FROM {s}.recordings c WHERE c.trigger_key = r.trigger AND c.project = r.project
        ORDER BY c.received_at DESC, c.id DESC OFFSET coalesce(r.count, 9007199254740991) LIMIT step));
  END LOOP;
  SELECT count(*) AS n, coalesce(sum(size), 0) AS bytes, count(*) FILTER (WHERE NOT sampled) AS outcomes,
      coalesce(sum(size) FILTER (WHERE NOT sampled), 0) AS outcome_bytes INTO total FROM {s}.recordings;
  IF total.n <= most AND total.bytes <= most_bytes THEN RETURN; END IF;
  -- Those that were recorded for their outcome alone give way first, while they take more than half.
  DELETE FROM {s}.recordings WHERE id = ANY (ARRAY(
    SELECT o.id FROM (SELECT c.id, row_number() OVER (ORDER BY c.received_at, c.id) AS place,
        sum(c.size) OVER (ORDER BY c.received_at, c.id ROWS UNBOUNDED PRECEDING) - c.size AS before
      FROM {s}.recordings c WHERE NOT c.sampled ORDER BY c.received_at, c.id LIMIT step) AS o
    WHERE (o.place <= total.n - most AND o.place - 1 < total.outcomes - most / 2.0)
      OR (o.before < total.bytes - most_bytes AND o.before < total.outcome_bytes - most_bytes / 2.0)));
  SELECT count(*) AS n, coalesce(sum(size), 0) AS bytes INTO total FROM {s}.recordings;
  DELETE FROM {s}.recordings WHERE id = ANY (ARRAY(
    SELECT o.id FROM (SELECT c.id, row_number() OVER (ORDER BY c.received_at, c.id) AS place,
        sum(c.size) OVER (ORDER BY c.received_at, c.id ROWS UNBOUNDED PRECEDING) - c.size AS before
      FROM {s}.recordings c ORDER BY c.received_at, c.id LIMIT step) AS o
    WHERE o.place <= total.n - most OR o.before < total.bytes - most_bytes));
END $$;
`;
