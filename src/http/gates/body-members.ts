import type { BodyMembers } from '../../contract/index.ts';
import type { BodyNeeded, Decision } from '../../runtime/admission.ts';
import { parseTriggerBody } from '../../runtime/body/trigger-body.ts';
import type { LiveTrigger } from '../../runtime/snapshot.ts';
import type { Call } from '../call.ts';
import { type LaterReason, refusalOf } from '../read-body.ts';
import { describeBody } from '../steps/request-body.ts';

/**
 * Decides by the bytes of a body, and by its members if they are not JSON already. If the members cannot be read now, nothing
 * says that the credential in them is invalid: the answer is 503, as some senders disable a webhook after a 401.
 */
export async function decideByBody(call: Call, early: BodyNeeded, sent: Buffer): Promise<Decision> {
  const unread: { why?: LaterReason } = {};
  const members = bodyMembers(call, sent, early.trigger, (why) => {
    unread.why = why;
  });
  const decision = await early.decide(sent, members);
  if (unread.why === undefined || !isUnknownCaller(decision)) return decision;
  return { ...refusalOf(unread.why), trigger: early.trigger };
}

function isUnknownCaller(decision: Decision): boolean {
  return decision.kind === 'refused' && (decision.code === 'unauthorized' || decision.code === 'forbidden');
}

/**
 * Returns what reads the members of a body for an auth plugin: undefined if the bytes as sent are JSON already, which the
 * plugin reads without parsing them.
 */
function bodyMembers(
  call: Call,
  sent: Buffer,
  trigger: LiveTrigger | undefined,
  onUnread: (why: LaterReason) => void,
): BodyMembers | undefined {
  if (trigger === undefined || sent.length === 0) return undefined;
  const { body } = trigger;
  const described = describeBody(call.request.headers, body.accept);
  if (described.kind === 'unsupported') return undefined;
  const { type, codings } = described;
  if (codings.length === 0 && type.kind === 'json') return undefined;
  return async () => {
    const decoded = codings.length === 0 ? undefined : await call.decode(sent, codings, body.limitBytes);
    if (decoded?.ok === false) {
      if (decoded.why === 'no_memory' || decoded.why === 'busy') onUnread(decoded.why);
      return undefined;
    }
    const bytes = decoded?.bytes ?? sent;
    if (type.kind === 'json') return bytes;
    const parsed = parseTriggerBody(bytes, type, body, (needed) => call.hasUnknownRoom(sent.length + needed));
    if (parsed.kind === 'no_room') onUnread('no_memory');
    return parsed.kind === 'read' ? Buffer.from(parsed.json ?? '') : undefined;
  };
}
