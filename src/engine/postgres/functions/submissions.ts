import { queueIsFull } from '../../types/index.ts';

/** Accepting runs. */
export const submitFunctions = `
-- Who holds a claim now; NULL: the run that asks. \`mine\`: runs of the same step, which are not in the queue yet.
CREATE OR REPLACE FUNCTION {s}.v1_claim(k text, run text, ends bigint, mine text[], t bigint) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  holder text;
  ending bigint;
BEGIN
  LOOP
    INSERT INTO {s}.claims VALUES (k, run, ends) ON CONFLICT DO NOTHING;
    IF FOUND THEN RETURN NULL; END IF;
    SELECT run_id, until INTO holder, ending FROM {s}.claims WHERE key = k;
    -- Released in between.
    CONTINUE WHEN NOT FOUND;
    IF holder = run THEN RETURN NULL; END IF;
    IF ending IS NULL OR ending > t OR holder = ANY (mine) THEN RETURN holder; END IF;
    SELECT run_id, until INTO holder, ending FROM {s}.claims WHERE key = k FOR UPDATE;
    CONTINUE WHEN NOT FOUND;
    IF ending IS NULL OR ending > t OR holder = ANY (mine) THEN RETURN holder; END IF;
    -- A statement of its own: it sees what was committed while the lock was waited for.
    PERFORM 1 FROM {s}.queue WHERE id = holder;
    IF FOUND THEN RETURN holder; END IF;
    UPDATE {s}.claims SET run_id = run, until = ends WHERE key = k;
    RETURN NULL;
  END LOOP;
END $$;

-- Accepts runs, in order: each with its claim and what it takes of limits, or nothing of it. \`again\`: some of them may have been
-- stored by a step whose answer was lost.
CREATE OR REPLACE FUNCTION {s}.v1_submit(life uuid, batch json, max_queued int, again boolean, t bigint)
RETURNS jsonb[] LANGUAGE plpgsql AS $$
DECLARE
  b record;
  q {s}.queue;
  other {s}.queue;
  holder text;
  holders jsonb := '{}';
  -- Who has taken the \`once\` of a run.
  earlier text;
  firsts jsonb := '{}';
  mine text[] := '{}';
  refused text[] := '{}';
  others text[];
  busy text;
  charged jsonb;
  replaced jsonb;
  waiting bigint;
  held bigint;
  is_held boolean;
  new_phase text;
  new_due bigint;
  burst_starts bigint;
  answer jsonb;
  answers jsonb[] := '{}';
  has_uses boolean;
  has_limits boolean;
  limits_to_extend text[];
  -- Nobody would ever take what only a buried node can execute.
  is_alive boolean := EXISTS (SELECT 1 FROM {s}.nodes n WHERE n.life = v1_submit.life);
BEGIN
  PERFORM {s}.v1_lock_sessions(ARRAY(
    SELECT n FROM json_to_recordset(batch) AS x(conversation text, burst text), unnest(ARRAY[x.conversation, x.burst]) AS n
    WHERE n IS NOT NULL));
  FOR b IN SELECT x.id, c.key, c.is_once, CASE WHEN NOT c.is_once THEN x."claimWindow" END AS win
      FROM json_to_recordset(batch) AS x(id text, claim text, "claimWindow" bigint, once text),
        LATERAL (VALUES (x.claim, false), (x.once, true)) AS c(key, is_once)
      WHERE c.key IS NOT NULL
        -- What a lost step has accepted may have released its claim since.
        AND NOT (again AND (EXISTS (SELECT 1 FROM {s}.runs r WHERE r.id = x.id) OR EXISTS (SELECT 1 FROM {s}.joined j WHERE j.id = x.id)))
      ORDER BY c.key COLLATE "C" LOOP
    holder := {s}.v1_claim(b.key, b.id, t + b.win, mine, t);
    IF holder IS NULL THEN mine := mine || b.id;
    ELSIF b.is_once THEN firsts := firsts || jsonb_build_object(b.id, holder);
    ELSE holders := holders || jsonb_build_object(b.id, holder); END IF;
  END LOOP;
  -- Rows that steps share are locked in one order, or two steps would wait for each other.
  SELECT bool_or(x.uses IS NOT NULL), bool_or(x.limits IS NOT NULL) INTO has_uses, has_limits
    FROM json_to_recordset(batch) AS x(uses text, limits json);
  IF has_uses THEN
    INSERT INTO {s}.uses SELECT x.uses, 0, max(x."usesUntil") FROM json_to_recordset(batch) AS x(uses text, "usesUntil" bigint)
      WHERE x.uses IS NOT NULL GROUP BY x.uses ORDER BY x.uses COLLATE "C" ON CONFLICT DO NOTHING;
    PERFORM 1 FROM {s}.uses u WHERE u.id IN (SELECT x.uses FROM json_to_recordset(batch) AS x(uses text)) ORDER BY u.id FOR UPDATE;
  END IF;
  IF has_limits THEN
    PERFORM 1 FROM {s}.counters c
      WHERE (c.limit_id, c.value) IN (
        SELECT l->>'limit', l->>'value' FROM json_to_recordset(batch) AS x(limits jsonb), jsonb_array_elements(x.limits) AS l)
      ORDER BY c.limit_id, c.value FOR UPDATE;
    limits_to_extend := ARRAY(
      SELECT DISTINCT l->>'limit' FROM json_to_recordset(batch) AS x(limits jsonb), jsonb_array_elements(x.limits) AS l
      WHERE NOT EXISTS (SELECT 1 FROM {s}.counters c WHERE c.limit_id = l->>'limit' AND c.value = l->>'value'));
    IF cardinality(limits_to_extend) > 0 THEN
      INSERT INTO {s}.counted_values SELECT n, 0 FROM unnest(limits_to_extend) AS n ORDER BY n COLLATE "C" ON CONFLICT DO NOTHING;
      PERFORM 1 FROM {s}.counted_values v WHERE v.limit_id = ANY (limits_to_extend) ORDER BY v.limit_id FOR UPDATE;
    END IF;
  END IF;
  IF max_queued IS NOT NULL THEN
    SELECT count(*) FILTER (WHERE phase <> 'held'), count(*) INTO waiting, held FROM {s}.queue WHERE phase <> 'running';
  END IF;

  FOR b IN SELECT * FROM json_to_recordset(batch) AS x(
      id text, project text, trigger text, lane text, value text, "recordValue" text, conversation text, head text, input text,
      origin text, "requestId" text, "acceptedAt" bigint, "startsAt" bigint, keep text, notify boolean, "isMasked" boolean,
      "sessionTtl" bigint, claim text, "claimWindow" bigint, "keepClaim" boolean, once text, uses text, "mostUses" int, "usesUntil" bigint,
      limits jsonb, "onBusy" text, burst text, "burstWait" bigint, "burstMax" bigint) LOOP
    IF again AND EXISTS (SELECT 1 FROM {s}.runs r WHERE r.id = b.id) THEN
      answers := answers || jsonb_build_object('kind', 'accepted');
      CONTINUE;
    END IF;
    IF again THEN
      SELECT jsonb_build_object('runId', j.run_id, 'startsAt', j.starts_at) INTO answer FROM {s}.joined j WHERE j.id = b.id;
      IF FOUND THEN
        answers := answers || jsonb_build_object('kind', 'accepted', 'burst', answer);
        CONTINUE;
      END IF;
    END IF;
    holder := holders->>b.id;
    -- It repeats a run of this step that was refused after all.
    IF holder = ANY (refused) THEN
      holder := {s}.v1_claim(b.claim, b.id, t + b."claimWindow", '{}', t);
    END IF;
    earlier := firsts->>b.id;
    IF earlier = ANY (refused) THEN earlier := {s}.v1_claim(b.once, b.id, NULL, '{}', t); END IF;
    answer := CASE WHEN b."isMasked" AND NOT is_alive
      THEN jsonb_build_object('kind', 'unavailable', 'reason', 'the lease of this node is over')
      WHEN earlier IS NOT NULL THEN jsonb_build_object('kind', 'repeated', 'runId', earlier) END;
    charged := NULL;
    others := NULL;
    is_held := b.burst IS NOT NULL OR b."startsAt" IS NOT NULL;

    IF answer IS NULL AND b.burst IS NOT NULL THEN
      SELECT * INTO q FROM {s}.queue WHERE burst = b.burst FOR UPDATE;
      -- Its burst is over, and nobody has looked since.
      IF FOUND AND q.phase = 'held' AND q.burst_starts_at <= t THEN
        UPDATE {s}.queue SET burst = NULL WHERE id = q.id;
        q.id := NULL;
      END IF;
      IF q.id IS NOT NULL THEN
        IF holder IS NOT NULL THEN
          DELETE FROM {s}.claims WHERE key = b.once AND run_id = b.id;
          IF b.once IS NOT NULL THEN refused := refused || b.id; END IF;
          answers := answers || jsonb_build_object('kind', 'duplicate', 'runId', holder);
          CONTINUE;
        END IF;
        burst_starts := greatest(q.burst_starts_at, least(t + b."burstWait", q.burst_ends_at));
        IF q.claim IS NOT NULL AND q.claim IS DISTINCT FROM b.claim THEN
          DELETE FROM {s}.claims WHERE key = q.claim AND run_id = q.id;
        END IF;
        UPDATE {s}.claims SET run_id = q.id WHERE key IN (b.claim, b.once);
        UPDATE {s}.runs SET head = b.head, input = b.input, origin = b.origin, request_id = b."requestId", keep = b.keep,
            notify = b.notify, is_masked = b."isMasked", session_ttl = b."sessionTtl"
          WHERE id = q.id;
        UPDATE {s}.queue SET claim = b.claim, keep_claim = b."keepClaim", pinned = CASE WHEN b."isMasked" THEN life END,
            burst_starts_at = burst_starts, due = CASE WHEN phase = 'held' THEN greatest(due, burst_starts) ELSE due END
          WHERE id = q.id;
        INSERT INTO {s}.joined VALUES (b.id, q.id, burst_starts, t + {dropAfterMs});
        answers := answers || jsonb_build_object('kind', 'accepted', 'burst', jsonb_build_object('runId', q.id, 'startsAt', burst_starts));
        CONTINUE;
      END IF;
    END IF;

    IF answer IS NULL AND b."onBusy" IS NOT NULL AND b.conversation IS NOT NULL THEN
      others := ARRAY(SELECT o.id FROM {s}.queue o WHERE o.conversation = b.conversation
        AND (b.burst IS NOT NULL OR NOT (o.phase = 'held' AND o.burst IS NOT NULL))
        ORDER BY o.phase = 'held', o.phase = 'blocked', o.line);
      IF b."onBusy" = 'drop' AND cardinality(others) > 0 THEN
        answer := CASE WHEN holder IS NULL THEN jsonb_build_object('kind', 'busy', 'runId', others[1])
          ELSE jsonb_build_object('kind', 'duplicate', 'runId', holder) END;
      END IF;
    END IF;
    IF answer IS NOT NULL THEN
      NULL;
    ELSIF (CASE WHEN is_held THEN held ELSE waiting END) >= max_queued THEN
      answer := jsonb_build_object('kind', 'unavailable', 'reason', '${queueIsFull}');
    ELSIF holder IS NOT NULL THEN
      answer := jsonb_build_object('kind', 'duplicate', 'runId', holder);
    -- Its row was made and locked above.
    ELSIF b.uses IS NOT NULL AND (SELECT u.used FROM {s}.uses u WHERE u.id = b.uses) >= b."mostUses" THEN
      answer := jsonb_build_object('kind', 'used_up');
    ELSIF b.limits IS NOT NULL THEN
      charged := {s}.v1_charge_all(b.limits, t);
      IF charged ? 'limit' THEN answer := jsonb_build_object('kind', 'limited') || charged; END IF;
    END IF;
    IF answer IS NOT NULL THEN
      IF (holder IS NULL AND b.claim IS NOT NULL) OR (earlier IS NULL AND b.once IS NOT NULL) THEN
        DELETE FROM {s}.claims WHERE key IN (b.claim, b.once) AND run_id = b.id;
        refused := refused || b.id;
      END IF;
      answers := answers || answer;
      CONTINUE;
    END IF;

    IF b.uses IS NOT NULL THEN UPDATE {s}.uses SET used = used + 1 WHERE id = b.uses; END IF;
    burst_starts := t + least(b."burstWait", b."burstMax");
    new_due := greatest(burst_starts, b."startsAt");
    IF new_due > t THEN
      new_phase := 'held';
    ELSE
      new_due := NULL;
      new_phase := CASE WHEN b.conversation IS NOT NULL AND EXISTS (SELECT 1 FROM {s}.queue o
          WHERE o.conversation = b.conversation AND o.phase IN ('ready', 'paused', 'running')) THEN 'blocked' ELSE 'ready' END;
    END IF;
    INSERT INTO {s}.runs VALUES (b.id, b.project, b.trigger, b."acceptedAt", b."requestId", b.keep, b.notify, b."isMasked",
      b."sessionTtl", b.head, b."recordValue", b.input, b.origin);
    INSERT INTO {s}.queue (id, lane, value, conversation, phase, line, due, pinned, accepted_at, reservations, claim, keep_claim,
        burst, burst_starts_at, burst_ends_at)
      VALUES (b.id, b.lane, b.value, b.conversation, new_phase, nextval('{s}.lines'), new_due, CASE WHEN b."isMasked" THEN life END,
        b."acceptedAt", nullif(charged->'reservations', 'null'), b.claim, b."keepClaim", b.burst, burst_starts, t + b."burstMax");
    waiting := waiting + (new_phase <> 'held')::int;
    held := held + 1;
    replaced := '[]';
    IF b."onBusy" = 'replace' AND cardinality(others) > 0 THEN
      PERFORM 1 FROM {s}.queue WHERE id = ANY (others) ORDER BY id FOR UPDATE;
      FOREACH busy IN ARRAY others LOOP
        -- As it is by now: the one before may have passed the turn to it.
        SELECT * INTO other FROM {s}.queue WHERE id = busy;
        PERFORM {s}.v1_end_run(other, json_build_object('state', 'cancelled', 'usage', other.usage, 'cost', other.cost), t);
        replaced := replaced || jsonb_build_object('runId', other.id, 'owner', CASE WHEN other.phase = 'running' THEN other.owner END);
      END LOOP;
    END IF;
    answer := jsonb_build_object('kind', 'accepted', 'shadowed', charged->'shadowed', 'replaced', replaced);
    IF b.burst IS NOT NULL THEN
      answer := answer || jsonb_build_object('burst', jsonb_build_object('runId', b.id, 'startsAt', burst_starts));
    END IF;
    answers := answers || answer;
  END LOOP;
  RETURN answers;
END $$;

-- Accepts those of a step that need nothing of others, all by one statement. Returns the others, which v1_submit decides in order:
-- those whose claims are taken, and all of them where one has a session, a burst, or takes of a limit or a credential.
CREATE OR REPLACE FUNCTION {s}.v1_submit_plain(life uuid, batch json, t bigint) RETURNS json LANGUAGE plpgsql AS $$
DECLARE
  others json;
BEGIN
  PERFORM 1 FROM json_to_recordset(batch) AS x(conversation text, burst text, uses text, limits json, "startsAt" bigint, once text)
    WHERE x.once IS NOT NULL OR x.conversation IS NOT NULL OR x.burst IS NOT NULL OR x.uses IS NOT NULL OR x.limits IS NOT NULL OR x."startsAt" IS NOT NULL;
  IF FOUND THEN RETURN batch; END IF;
  WITH b AS MATERIALIZED (
    SELECT x.*, row_number() OVER () AS place FROM json_to_recordset(batch) AS x(
      id text, project text, trigger text, lane text, value text, "recordValue" text, head text, input text, origin text,
      "requestId" text, "acceptedAt" bigint, keep text, notify boolean, "isMasked" boolean, "sessionTtl" bigint, claim text,
      "claimWindow" bigint, "keepClaim" boolean)),
  held AS (
    INSERT INTO {s}.claims SELECT b.claim, b.id, t + b."claimWindow" FROM b WHERE b.claim IS NOT NULL ORDER BY b.claim COLLATE "C", b.place
    ON CONFLICT DO NOTHING RETURNING run_id),
  plain AS (SELECT * FROM b WHERE b.claim IS NULL OR b.id IN (SELECT run_id FROM held)),
  stored AS (
    INSERT INTO {s}.runs SELECT id, project, trigger, "acceptedAt", "requestId", keep, notify, "isMasked", "sessionTtl", head,
      "recordValue", input, origin FROM plain),
  queued AS (
    INSERT INTO {s}.queue (id, lane, value, phase, line, pinned, accepted_at, claim, keep_claim)
    SELECT o.id, o.lane, o.value, 'ready', nextval('{s}.lines'), CASE WHEN o."isMasked" THEN life END, o."acceptedAt", o.claim,
      o."keepClaim" FROM (SELECT * FROM plain ORDER BY place) AS o)
  SELECT json_agg(e.one) INTO others FROM json_array_elements(batch) WITH ORDINALITY AS e(one, place)
    WHERE e.place NOT IN (SELECT place FROM plain);
  RETURN others;
END $$;

-- Accepts runs and starts what may start: one commit for all that a turn of a node's event loop asked. \`max_queued\`: NULL unless
-- the queue may be full by now.
CREATE OR REPLACE FUNCTION {s}.v1_step(life uuid, batch json, max_queued int, again boolean, want json, t_given bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  t bigint := {s}.v1_now(t_given);
  -- By place in the batch, what v1_submit has decided: all others are accepted.
  others json := batch;
  answers jsonb[] := '{}';
  taking json;
  queued bigint;
  most int := max_queued;
BEGIN
  -- First of all, since burials wait for it: what this step stores for this node alone is found by its burial.
  PERFORM pg_advisory_xact_lock_shared(hashtextextended(life::text, 7303));
  IF most IS NOT NULL THEN
    SELECT count(*) INTO queued FROM {s}.queue WHERE phase <> 'running';
    IF queued + json_array_length(batch) <= most THEN most := NULL; END IF;
  END IF;
  IF NOT again AND most IS NULL AND EXISTS (SELECT 1 FROM {s}.nodes n WHERE n.life = v1_step.life) THEN
    others := {s}.v1_submit_plain(life, batch, t);
  END IF;
  IF others IS NOT NULL THEN answers := {s}.v1_submit(life, others, most, again, t); END IF;
  IF want IS NOT NULL THEN taking := {s}.v1_take(life, want, t); END IF;
  RETURN json_build_object('answers', answers, 'decided', (SELECT json_agg(o->>'id') FROM json_array_elements(others) AS o),
    'taking', taking, 'queued', queued)::text;
END $$;
`;
