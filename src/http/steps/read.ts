import type { JsonObject, ProblemCode, Reply } from '../../contract/index.ts';
import { noBody, parseTriggerBody } from '../../runtime/body/trigger-body.ts';
import type { Call } from '../call.ts';
import { reasonOfUnread, refusalOf } from '../read-body.ts';
import { refuse } from '../refuse.ts';
import { acceptance, type DescribedBody, describeBody } from './request-body.ts';

/** Untrusted input ends as a refusal, never as a throw. */
export async function read(call: Call): Promise<Reply | undefined> {
  const { headers } = call.request;
  const { limitBytes, accept } = call.admission.trigger.body;
  const described = describeBody(headers, accept);
  let { bytes } = call;
  if (bytes === undefined) {
    // Before the body is read, where it surely has one: it may be large, and a client may wait to be invited to send it.
    const declared = Number(headers['content-length'] ?? 0);
    if (declared > 0 && described.kind === 'unsupported') return unsupported(call, described.why);
    if (declared > limitBytes) return tooLarge(call, limitBytes);
    const sent = await call.readBody('known');
    if (!sent.ok) {
      if (sent.why === 'too_large') return tooLarge(call, limitBytes);
      call.reason = reasonOfUnread(sent.why);
      return refuse(call, refusalOf(sent.why), call.admission.trigger);
    }
    bytes = sent.bytes;
  }
  if (bytes.length > limitBytes) return tooLarge(call, limitBytes);
  if (bytes.length === 0) {
    call.body = noBody;
    return undefined;
  }
  if (described.kind === 'unsupported') return unsupported(call, described.why);
  return described.codings.length === 0 ? parse(call, bytes, described, 0) : decode(call, bytes, described);
}

type ReadableBody = Extract<DescribedBody, { kind: 'readable' }>;

async function decode(call: Call, sent: Buffer, described: ReadableBody): Promise<Reply | undefined> {
  if (!call.hasRoom(sent.length)) return refuse(call, refusalOf('no_memory'), call.admission.trigger);
  const decoded = await call.decode(sent, described.codings, call.admission.trigger.body.limitBytes);
  if (decoded.ok) {
    if (decoded.bytes.length > 0) return parse(call, decoded.bytes, described, sent.length);
    call.body = noBody;
    return undefined;
  }
  switch (decoded.why) {
    case 'too_large':
      return tooLarge(call, call.admission.trigger.body.limitBytes);
    case 'no_memory':
    case 'busy':
      return refuse(call, refusalOf(decoded.why), call.admission.trigger);
    case 'not_decodable': {
      const detail = 'The body is not what its Content-Encoding says.';
      return refuseBody(call, 'invalid_body', { detail, errors: [{ pointer: '', message: detail }] });
    }
  }
}

/** @param sentBytes how much is held beside the bytes that are parsed */
function parse(call: Call, bytes: Buffer, { type }: ReadableBody, sentBytes: number): Reply | undefined {
  const { trigger } = call.admission;
  const body = parseTriggerBody(bytes, type, trigger.body, (needed) => call.hasRoom(sentBytes + needed));
  if (body.kind === 'no_room') return refuse(call, refusalOf('no_memory'), trigger);
  if (body.kind === 'refused') return refuseBody(call, body.code, body.members);
  call.body = body;
  return undefined;
}

function tooLarge(call: Call, limitBytes: number): Reply {
  call.reason = `the body is above body.limit of the trigger, ${limitBytes} bytes`;
  return refuseBody(call, 'body_too_large');
}

function unsupported(call: Call, why: 'type' | 'coding'): Reply {
  const { members, headers } = acceptance(why, call.admission.trigger.body.accept);
  call.reason = `${why === 'type' ? 'Content-Type' : 'Content-Encoding'} is not accepted: ${members.detail}`;
  return refuseBody(call, 'unsupported_media_type', members, headers);
}

function refuseBody(call: Call, code: ProblemCode, members?: JsonObject, headers?: Record<string, string>): Reply {
  return refuse(call, { kind: 'refused', code, reason: '' }, call.admission.trigger, members, headers);
}
