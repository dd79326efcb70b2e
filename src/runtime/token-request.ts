import type { JsonObject, JsonValue, Principal, TokenClaims } from '../contract/index.ts';
import { joinPointer } from '../diagnostics/json-pointer.ts';
import { parseOrigin } from '../schema/origin.ts';
import { parseDuration } from '../schema/units.ts';
import { mayCallFrom } from './admission.ts';
import type { LiveTrigger } from './snapshot.ts';

/** What a key asks of a token. */
export type TokenRequest =
  | {
      readonly kind: 'read';
      readonly expiresInMs: number;
      readonly bound: Pick<TokenClaims, 'sessionId' | 'customer' | 'context' | 'origin' | 'uses'>;
    }
  | { readonly kind: 'invalid'; readonly errors: readonly RequestFault[] }
  /** The key itself must not be used from that origin. */
  | { readonly kind: 'forbidden' };

interface RequestFault {
  /** JSON pointer into the body. */
  readonly pointer: string;
  readonly message: string;
}

const defaultMs = 15 * 60_000;
const shortestMs = 1_000;
const longestMs = 24 * 3_600_000;

const known = ['sessionId', 'customer', 'context', 'origin', 'uses', 'expiresIn'] as const;

/** @param members as the body of a trigger is checked: `sessionId`, `customer` and `context` have their types, and none is null */
export function readTokenRequest(
  members: JsonObject,
  { origins }: Pick<Principal, 'origins'>,
  { body }: Pick<LiveTrigger, 'body'>,
): TokenRequest {
  const { sessionId, customer, context, origin, uses, expiresIn } = withoutNull(members);
  const isOrigin = origin === undefined || (typeof origin === 'string' && isPageOrigin(origin));
  const isCount = uses === undefined || (typeof uses === 'number' && Number.isSafeInteger(uses) && uses >= 1);
  const expiresInMs = expiresIn === undefined ? defaultMs : durationOf(expiresIn);
  const errors = [
    ...Object.keys(members)
      .filter((name) => !known.some((one) => one === name))
      .map((name) => fault(name, `is unknown; known are ${known.join(', ')}`)),
    ...(isOrigin ? [] : [fault('origin', 'must be an origin such as https://www.example.com')]),
    ...(isCount ? [] : [fault('uses', 'must be an integer of at least 1')]),
    ...(expiresInMs === undefined ? [fault('expiresIn', 'must be a duration from 1s to 24h, such as 15m')] : []),
    ...(body.fields === 'free' ? unbindable({ customer, context }) : []),
  ];
  if (errors.length > 0 || expiresInMs === undefined) return { kind: 'invalid', errors };
  if (
    typeof origin === 'string' &&
    origins !== undefined &&
    !origins.includes(origin) &&
    !mayCallFrom(origins, origin)
  ) {
    return { kind: 'forbidden' };
  }
  return {
    kind: 'read',
    expiresInMs,
    bound: {
      ...(typeof sessionId === 'string' && { sessionId }),
      ...(isObject(customer) && { customer }),
      ...(isObject(context) && { context }),
      ...(typeof origin === 'string' && { origin }),
      ...(typeof uses === 'number' && { uses }),
    },
  };
}

function withoutNull(members: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
}

/** No member of such a body is Pullcord's. */
function unbindable(members: Readonly<Record<string, JsonValue | undefined>>): readonly RequestFault[] {
  return Object.entries(members).flatMap(([name, value]) =>
    value === undefined ? [] : [fault(name, 'cannot be bound: the trigger has body.fields free')],
  );
}

function fault(name: string, message: string): RequestFault {
  return { pointer: joinPointer('', name), message };
}

function isPageOrigin(text: string): boolean {
  const pattern = text.length <= 256 ? parseOrigin(text) : undefined;
  return pattern !== undefined && pattern.kind !== 'any';
}

function durationOf(value: JsonValue | undefined): number | undefined {
  const ms = typeof value === 'string' ? parseDuration(value) : undefined;
  return ms !== undefined && ms >= shortestMs && ms <= longestMs ? ms : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
