/**
 * What limits count: `src/engine/limits/rule.ts` and `ledger.ts` in the language of the database, because the counters are
 * charged in the step that accepts a run. A property test compares the two.
 */
export const limitFunctions = `
-- As expiryOf: from when on a counter says nothing any more.
CREATE OR REPLACE FUNCTION {s}.v1_expiry(opened float8, rule jsonb) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE rule->>'kind'
    WHEN 'rate' THEN opened
    WHEN 'window' THEN opened + (rule->>'periodMs')::float8
    ELSE CASE WHEN opened = (rule->>'startsAt')::float8 THEN (rule->>'endsAt')::float8
      ELSE opened + ((rule->>'endsAt')::float8 - (rule->>'startsAt')::float8) END
  END
$$;

-- As charge: the counter after a charge, or when there will be room for it.
CREATE OR REPLACE FUNCTION {s}.v1_charge(
  INOUT opened float8, INOUT used float8, INOUT open float8, rule jsonb, amount float8, reserved boolean, t float8,
  OUT taken float8, OUT retry_at float8
) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  most float8 := (rule->>'amount')::float8;
  period float8 := (rule->>'periodMs')::float8;
  starts float8;
  ends float8;
  step float8;
  burst float8;
BEGIN
  IF rule->>'kind' = 'rate' THEN
    burst := (rule->>'burst')::float8;
    step := period / most;
    IF NOT (opened > t AND opened <= t + 2 * period) THEN opened := t; END IF;
    opened := opened + least(amount, burst) * step;
    used := 0;
    open := 0;
    taken := amount;
    IF opened - burst * step > t + 1e-3 THEN retry_at := opened - burst * step; END IF;
    RETURN;
  END IF;
  IF rule->>'kind' = 'window' THEN
    IF NOT abs(t - opened) < period THEN
      opened := t;
      used := 0;
      open := 0;
    END IF;
  ELSE
    starts := (rule->>'startsAt')::float8;
    ends := (rule->>'endsAt')::float8;
    IF t >= ends THEN starts := ends; END IF;
    IF NOT (opened >= starts AND opened <= ends) THEN
      used := 0;
      open := 0;
    END IF;
    opened := starts;
  END IF;
  IF amount > most AND open = 0 THEN taken := greatest(0, most - used); ELSE taken := least(amount, most); END IF;
  IF used + open + greatest(taken, 1) > most THEN
    retry_at := {s}.v1_expiry(opened, rule);
  ELSIF reserved THEN
    open := open + taken;
  ELSE
    used := used + taken;
  END IF;
END $$;

-- Locks the counter of a value, or the one that further values share. A new one counts nothing.
CREATE OR REPLACE FUNCTION {s}.v1_counter(lim text, val text, max_values bigint) RETURNS {s}.counters LANGUAGE plpgsql AS $$
DECLARE
  found_counter {s}.counters;
  known bigint;
BEGIN
  SELECT * INTO found_counter FROM {s}.counters WHERE limit_id = lim AND value = val FOR UPDATE;
  IF FOUND THEN RETURN found_counter; END IF;
  SELECT count INTO known FROM {s}.counted_values WHERE limit_id = lim;
  IF coalesce(known, 0) >= max_values THEN val := '…'; END IF;
  INSERT INTO {s}.counters VALUES (lim, val, -1e15, 0, 0, 0) ON CONFLICT DO NOTHING;
  IF FOUND THEN
    INSERT INTO {s}.counted_values VALUES (lim, 1)
      ON CONFLICT (limit_id) DO UPDATE SET count = {s}.counted_values.count + 1;
  END IF;
  SELECT * INTO found_counter FROM {s}.counters WHERE limit_id = lim AND value = val FOR UPDATE;
  RETURN found_counter;
END $$;

-- As chargeAll: charges all limits, or none.
CREATE OR REPLACE FUNCTION {s}.v1_charge_all(charges jsonb, t bigint) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  c jsonb;
  counter {s}.counters;
  r record;
  reserved boolean;
  full_limit text;
  full_until float8;
  shadowed jsonb := '[]';
  counted jsonb := '[]';
  fresh jsonb := '[]';
  reservations jsonb := '[]';
BEGIN
  FOR c IN SELECT * FROM jsonb_array_elements(charges) LOOP
    counter := {s}.v1_counter(c->>'limit', c->>'value', (c->>'maxValues')::bigint);
    reserved := c->>'unit' IN ('tokens', 'cost');
    SELECT * INTO r FROM {s}.v1_charge(counter.opened_at, counter.used, counter.open, c->'rule', (c->>'amount')::float8, reserved, t);
    IF counter.opened_at = -1e15 THEN
      fresh := fresh || jsonb_build_object('limit', counter.limit_id, 'value', counter.value, 'isCounted', r.retry_at IS NULL);
    END IF;
    IF r.retry_at IS NULL THEN
      counted := counted || jsonb_build_object('of', c, 'value', counter.value, 'at', r.opened, 'used', r.used, 'open', r.open, 'taken', r.taken);
    ELSIF (c->>'isShadow')::boolean THEN
      shadowed := shadowed || to_jsonb(c->>'limit');
    ELSIF full_until IS NULL OR r.retry_at > full_until THEN
      full_limit := c->>'limit';
      full_until := r.retry_at;
    END IF;
  END LOOP;
  -- A value that counts nothing must not take a place from others.
  FOR c IN SELECT * FROM jsonb_array_elements(fresh) LOOP
    CONTINUE WHEN full_limit IS NULL AND (c->>'isCounted')::boolean;
    DELETE FROM {s}.counters WHERE limit_id = c->>'limit' AND value = c->>'value' AND opened_at = -1e15;
    IF FOUND THEN UPDATE {s}.counted_values SET count = count - 1 WHERE limit_id = c->>'limit'; END IF;
  END LOOP;
  IF full_limit IS NOT NULL THEN RETURN jsonb_build_object('limit', full_limit, 'retryAt', full_until); END IF;
  FOR c IN SELECT * FROM jsonb_array_elements(counted) LOOP
    UPDATE {s}.counters SET opened_at = (c->>'at')::float8, used = (c->>'used')::float8, open = (c->>'open')::float8,
        until = {s}.v1_expiry((c->>'at')::float8, c->'of'->'rule')
      WHERE limit_id = c->'of'->>'limit' AND value = c->>'value';
    IF c->'of'->>'unit' IN ('tokens', 'cost') THEN
      reservations := reservations || jsonb_build_object('limit', c->'of'->'limit', 'value', c->'value', 'unit', c->'of'->'unit',
        'rule', c->'of'->'rule', 'amount', c->'taken', 'unreported', c->'of'->'unreported', 'at', c->'at');
    END IF;
  END LOOP;
  RETURN jsonb_build_object('shadowed', shadowed, 'reservations', nullif(reservations, '[]'));
END $$;

-- As settleAll, with consumptionOf: what an ended run has reserved becomes what it has consumed.
CREATE OR REPLACE FUNCTION {s}.v1_settle(reservations jsonb, attempt int, state text, usage json, cost json, t bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  r jsonb;
  rule jsonb;
  counter {s}.counters;
  reported float8;
  actual float8;
  excess float8;
  starts float8;
  ends float8;
  is_open boolean;
BEGIN
  FOR r IN SELECT e FROM jsonb_array_elements(reservations) AS e ORDER BY e->>'limit' COLLATE "C", e->>'value' COLLATE "C" LOOP
    rule := r->'rule';
    reported := CASE WHEN attempt = 0 THEN 0 WHEN r->>'unit' = 'cost' THEN (cost->>'nanos')::float8
      ELSE (usage->>'inputTokens')::float8 + (usage->>'outputTokens')::float8 END;
    actual := coalesce(reported, (r->>'unreported')::float8);
    IF attempt > 0 AND state = 'cancelled' THEN
      actual := greatest(coalesce(reported, 0), (r->>'amount')::float8, (r->>'unreported')::float8);
    END IF;
    SELECT * INTO counter FROM {s}.counters WHERE limit_id = r->>'limit' AND value = r->>'value' FOR UPDATE;
    is_open := FOUND AND t < {s}.v1_expiry(counter.opened_at, rule);
    excess := actual - (r->>'amount')::float8;
    IF is_open AND counter.opened_at = (r->>'at')::float8 THEN
      UPDATE {s}.counters SET used = counter.used + actual, open = counter.open - (r->>'amount')::float8
        WHERE limit_id = counter.limit_id AND value = counter.value;
    ELSIF excess > 0 AND rule->>'kind' <> 'rate' THEN
      IF is_open THEN
        UPDATE {s}.counters SET used = counter.used + excess WHERE limit_id = counter.limit_id AND value = counter.value;
      ELSE
        counter := {s}.v1_counter(r->>'limit', r->>'value', 9007199254740991);
        counter.opened_at := t;
        IF rule->>'kind' = 'calendar' THEN
          starts := (rule->>'startsAt')::float8;
          ends := (rule->>'endsAt')::float8;
          IF (r->>'at')::float8 = starts THEN counter.opened_at := ends; ELSE counter.opened_at := (r->>'at')::float8; END IF;
          IF t >= counter.opened_at + (ends - starts) THEN counter.opened_at := t; END IF;
        END IF;
        UPDATE {s}.counters SET opened_at = counter.opened_at, used = excess, open = 0,
            until = {s}.v1_expiry(counter.opened_at, rule)
          WHERE limit_id = counter.limit_id AND value = counter.value;
      END IF;
    END IF;
  END LOOP;
END $$;

-- Forgets what a limit has counted, of one value or of all. What is reserved is settled in the same counter.
CREATE OR REPLACE FUNCTION {s}.v1_reset(lim text, val text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  kept int;
  gone int;
BEGIN
  PERFORM 1 FROM {s}.counters WHERE limit_id = lim AND (val IS NULL OR value = val) ORDER BY value FOR UPDATE;
  UPDATE {s}.counters SET used = 0 WHERE limit_id = lim AND (val IS NULL OR value = val) AND open > 0;
  GET DIAGNOSTICS kept = ROW_COUNT;
  DELETE FROM {s}.counters WHERE limit_id = lim AND (val IS NULL OR value = val) AND open <= 0;
  GET DIAGNOSTICS gone = ROW_COUNT;
  UPDATE {s}.counted_values SET count = count - gone WHERE limit_id = lim;
  RETURN kept + gone;
END $$;
`;
