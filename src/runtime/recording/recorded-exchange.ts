import { type Exchange, type Principal, type ProblemCode, permissions, principalOfKey } from '../../contract/index.ts';
import type { RecordedOrigin, RecordedRequest } from '../../engine/types/index.ts';
import { type BodyType, bodyTypeOf } from '../body/media-type.ts';
import { type InvalidBody, noBody, parseTriggerBody, type TriggerBody } from '../body/trigger-body.ts';
import { completeExchange, exchangeOf } from '../exchange.ts';
import type { LiveTrigger, Snapshot } from '../snapshot.ts';

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What a recorded body is to a trigger. Without a `Content-Type` it is JSON: recordings and tests have the headers that matter. */
export function recordedBody(
  bodyText: string | undefined,
  { body }: Pick<LiveTrigger, 'body'>,
  headers: Headers,
): TriggerBody | InvalidBody | { readonly code: ProblemCode } {
  if (bodyText === undefined || bodyText === '') return noBody;
  const bytes = Buffer.from(bodyText);
  if (bytes.length > body.limitBytes) return { code: 'body_too_large' };
  const { 'content-type': written } = headers;
  const type = written === undefined ? plainJson : bodyTypeOf(String(written), body.accept);
  return type === undefined ? { code: 'unsupported_media_type' } : parseTriggerBody(bytes, type, body);
}

const plainJson: BodyType = { kind: 'json' };

/** The parameters of a recorded query, as they follow the `?` of an address. */
export function recordedQuery({ query = {} }: Partial<RecordedOrigin>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) parameters.append(name, one);
  }
  return parameters.toString();
}

/**
 * A recorded request as the stages of its trigger see it, arriving now. Who sent it was established then: a caller that is declared
 * has what its key declares, and any other is taken as recorded.
 */
export function recordedExchange(
  request: RecordedRequest,
  trigger: LiveTrigger,
  { config }: Pick<Snapshot, 'config'>,
  now: number,
): Exchange | { readonly code: ProblemCode } {
  const { headers, origin, requestId, ip } = request;
  const body = recordedBody(request.bodyText, trigger, headers);
  if ('code' in body) return body;
  const declared = config.apiKeys.find(({ id }) => id === request.caller);
  const known: Principal = declared
    ? principalOfKey(declared)
    : { id: request.caller, permissions: new Set(permissions), projects: 'all' };
  const caller = origin === undefined ? known : { ...known, claims: origin.claims };
  const head = {
    requestId: requestId ?? request.id,
    receivedAt: now,
    method: 'POST',
    path: trigger.address,
    query: recordedQuery(origin ?? {}),
    headers,
    ip,
  };
  return completeExchange(trigger, exchangeOf(head, trigger, caller, body, origin?.event));
}
