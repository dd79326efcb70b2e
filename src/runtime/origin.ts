import type { ExpressionBindings } from '../config/model.ts';
import {
  type Auth,
  callerBinding,
  type Exchange,
  eventBinding,
  type RunOrigin,
  requestBinding,
} from '../contract/index.ts';
import { partsOf } from '../host/auth-list.ts';

/** What the expressions of a trigger's run plugin may read: as declared, without the headers that carry its credentials. */
export function readableBindings({ headers, claims }: ExpressionBindings, auth: Auth): ExpressionBindings {
  const secret = partsOf(auth).flatMap(({ credentials }) => credentials?.headers ?? []);
  const names = new Set(secret.map((name) => name.toLowerCase()));
  return Object.freeze({ headers: headers.filter((name) => !names.has(name)), claims });
}

/** What is stored with a run of the request that fired it. */
export function originOf(exchange: Exchange, { headers, claims }: ExpressionBindings): RunOrigin {
  return {
    request: requestBinding(exchange, headers),
    caller: callerBinding(exchange.caller, claims),
    event: eventBinding(exchange.event),
    ...(exchange.foreign !== undefined && { body: exchange.foreign }),
  };
}
