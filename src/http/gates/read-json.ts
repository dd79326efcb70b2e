import { type JsonObject, problem, type Reply } from '../../contract/index.ts';
import { parseTriggerBody } from '../../runtime/body/trigger-body.ts';
import type { Call } from '../call.ts';
import { reasonOfUnread, refusalOf } from '../read-body.ts';
import { acceptance, describeBody } from '../steps/request-body.ts';

/** The body of a request to an address that takes JSON alone, or how the request is refused. */
export type JsonMembers =
  | { readonly kind: 'read'; readonly members: JsonObject }
  | { readonly kind: 'refused'; readonly reply: Reply };

/**
 * Reads a JSON body, whose known members have the types that they have in the body of a trigger. No body is an empty object.
 * @param mostBytes below the limit that holds for the sender anyway
 */
export async function readJson(call: Call, sender: 'known' | 'unknown', mostBytes?: number): Promise<JsonMembers> {
  const described = describeBody(call.request.headers, ['json']);
  const sent = await call.readBody(sender, mostBytes);
  if (!sent.ok) {
    call.reason = reasonOfUnread(sent.why);
    return refused(sent.why === 'no_memory' ? later : problem(refusalOf(sent.why).code));
  }
  if (sent.bytes.length === 0) return { kind: 'read', members: {} };
  if (described.kind === 'unsupported' || described.codings.length > 0) {
    const { members, headers } = acceptance('type', ['json']);
    return refused(problem('unsupported_media_type', { ...members, detail: jsonOnly }, headers));
  }
  const rules = { fields: 'checked', jsonFields: [] } as const;
  const hasRoom = (bytes: number) => (sender === 'known' ? call.hasRoom(bytes) : call.hasUnknownRoom(bytes));
  const body = parseTriggerBody(sent.bytes, described.type, rules, hasRoom);
  if (body.kind === 'no_room') return refused(later);
  if (body.kind === 'refused') return refused(problem(body.code, body.members));
  return { kind: 'read', members: body.members };
}

const jsonOnly = 'The body must be JSON: Content-Type: application/json, without content encoding.';
const later: Reply = problem('unavailable', {}, { 'retry-after': '5' });

function refused(reply: Reply): JsonMembers {
  return { kind: 'refused', reply };
}

/** How a body is refused whose members are wrong. */
export function invalidMembers(errors: readonly { readonly pointer: string; readonly message: string }[]): Reply {
  return problem('invalid_body', { errors: errors.map((error) => ({ ...error })) });
}
