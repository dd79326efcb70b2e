import {
  type Exchange,
  type JsonObject,
  type JsonValue,
  type Principal,
  permissions,
  principalOfKey,
  type RunOrigin,
} from '../contract/index.ts';
import type { NewRun, RunRecord } from '../engine/types/index.ts';
import { parseTriggerBody } from './body/trigger-body.ts';
import { withConcurrencyValue } from './concurrency-value.ts';
import { exchangeOf } from './exchange.ts';
import { recordedQuery } from './recording/recorded-exchange.ts';
import type { LiveTrigger, Snapshot } from './snapshot.ts';

/** A run with the input that an operator has edited, or why its trigger does not take it. */
export type EditedRun =
  | { readonly ok: true; readonly run: NewRun }
  | { readonly ok: false; readonly code: 'invalid_body' | 'body_too_large'; readonly members: JsonObject };

/**
 * The replay of a run with another input, read and checked as the body of a request. A body that is a text is its JSON, with all
 * digits of its numbers.
 */
export function withEditedInput(
  run: NewRun,
  body: JsonValue,
  { recorded, trigger, config }: { recorded: RunRecord; trigger: LiveTrigger; config: Snapshot['config'] },
): EditedRun {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  if (bytes.length > trigger.body.limitBytes) return { ok: false, code: 'body_too_large', members: {} };
  const parsed = parseTriggerBody(bytes, { kind: 'json' }, trigger.body);
  if (parsed.kind === 'refused') return { ok: false, code: parsed.code, members: parsed.members };
  const { origin } = recorded;
  const head = {
    requestId: run.id,
    receivedAt: Date.now(),
    method: origin?.request.method ?? 'POST',
    path: trigger.address,
    query: recordedQuery(origin?.request ?? {}),
    headers: origin?.request.headers ?? {},
    ip: origin?.request.ip ?? '',
  };
  const exchange = exchangeOf(head, trigger, callerOf(recorded, config), parsed);
  const found = withConcurrencyValue({ ...run, ...editedParts(run, exchange, trigger) }, trigger, exchange);
  if (found.ok) return found;
  const { by, reason } = found.error;
  return { ok: false, code: 'invalid_body', members: { detail: `${by} cannot be evaluated: ${reason}.` } };
}

function editedParts(
  { origin, sessionId }: NewRun,
  exchange: Exchange,
  { body }: LiveTrigger,
): Pick<NewRun, 'input' | 'origin' | 'sessionId'> {
  const { input, foreign } = exchange;
  // Only a body that names its session itself can name another one.
  const isNamed = body.fields === 'checked' && body.session === undefined;
  return {
    input,
    origin: origin && editedOrigin(origin, foreign),
    sessionId: isNamed ? exchange.sessionId : sessionId,
  };
}

function editedOrigin({ body: _body, ...origin }: RunOrigin, body: RunOrigin['body']): RunOrigin {
  return { ...origin, ...(body !== undefined && { body }), isEdited: true };
}

/** Who fired the run was established then. */
function callerOf({ caller, origin }: RunRecord, { apiKeys }: Snapshot['config']): Principal {
  const declared = apiKeys.find(({ id }) => id === caller);
  const known = declared
    ? principalOfKey(declared)
    : { id: caller, permissions: new Set(permissions), projects: 'all' as const };
  return origin === undefined ? known : { ...known, claims: origin.caller.claims };
}
