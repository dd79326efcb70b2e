import type { BodyMembers } from '../../contract/index.ts';
import { parseTriggerBody } from '../../runtime/body/trigger-body.ts';
import type { LiveTrigger } from '../../runtime/snapshot.ts';
import type { Call } from '../call.ts';
import { describeBody } from '../steps/request-body.ts';

/**
 * Returns what reads the members of a body for an auth plugin: undefined if the bytes as sent are JSON already, which the
 * plugin reads without parsing them.
 */
export function bodyMembers(call: Call, sent: Buffer, trigger: LiveTrigger | undefined): BodyMembers | undefined {
  if (trigger === undefined || sent.length === 0) return undefined;
  const { body } = trigger;
  const described = describeBody(call.request.headers, body.accept);
  if (described.kind === 'unsupported') return undefined;
  const { type, codings } = described;
  if (codings.length === 0 && type.kind === 'json') return undefined;
  return async () => {
    const decoded = codings.length === 0 ? undefined : await call.decode(sent, codings, body.limitBytes);
    if (decoded?.ok === false) return undefined;
    const bytes = decoded?.bytes ?? sent;
    if (type.kind === 'json') return bytes;
    const parsed = parseTriggerBody(bytes, type, body, (needed) => call.hasUnknownRoom(sent.length + needed));
    return parsed.kind === 'read' ? Buffer.from(parsed.json ?? '') : undefined;
  };
}
