import type { Exchange, JsonObject, JsonValue, TokenBinding } from '../contract/index.ts';
import type { TriggerBody } from './body/trigger-body.ts';

/**
 * The body as a token binds it: what it leaves out is filled in; undefined if it names another session, customer or value
 * of the context. A customer is bound as a whole: a page must not give itself a plan that the token does not name.
 */
export function boundBody(body: TriggerBody, token: TokenBinding, fields: 'checked' | 'free'): TriggerBody | undefined {
  const { sessionId, customer, context } = token;
  if (fields === 'free') return customer === undefined && context === undefined ? body : undefined;
  const named = body.members;
  if (sessionId !== undefined && named.sessionId !== undefined && named.sessionId !== sessionId) return undefined;
  if (!isWithin(named.customer, customer)) return undefined;
  if (!agrees(named.context, context)) return undefined;
  const filled: JsonObject = {
    ...(sessionId !== undefined && { sessionId }),
    ...(customer !== undefined && { customer }),
    ...(context !== undefined && { context: { ...objectOf(named.context), ...context } }),
  };
  return Object.keys(filled).length === 0 ? body : withMembers(body, filled);
}

/** The request in the session of its token; undefined if it is in another. */
export function boundSession(exchange: Exchange, { sessionId }: TokenBinding): Exchange | undefined {
  if (sessionId === undefined || exchange.sessionId === sessionId) return exchange;
  return exchange.sessionId === undefined ? { ...exchange, sessionId } : undefined;
}

/** Dedup compares the JSON text: requests of two customers that send the same are not the same. */
function withMembers(body: TriggerBody, filled: JsonObject): TriggerBody {
  const { format, text, json, members } = body;
  const bound = { ...body, members: { ...members, ...filled } };
  if (text === undefined) return bound;
  // The numbers of such a body are exact: others are refused.
  const merged = JSON.stringify(bound.members);
  return format === 'json' && json === undefined ? { ...bound, text: merged } : { ...bound, json: merged };
}

function isWithin(named: JsonValue | undefined, bound: JsonObject | undefined): boolean {
  if (named === undefined || bound === undefined) return true;
  return Object.entries(objectOf(named)).every(
    ([name, value]) => Object.hasOwn(bound, name) && isSame(value, bound[name]),
  );
}

function agrees(named: JsonValue | undefined, bound: JsonObject | undefined): boolean {
  if (bound === undefined) return true;
  return Object.entries(objectOf(named)).every(
    ([name, value]) => !Object.hasOwn(bound, name) || isSame(value, bound[name]),
  );
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isObject(value) ? value : {};
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Both have been parsed from JSON, within its limit of depth. */
function isSame(one: JsonValue | undefined, other: JsonValue | undefined): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => isSame(item, other[index]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSame(one[name], other[name]))
  );
}
