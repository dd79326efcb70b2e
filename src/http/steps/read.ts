import type { JsonObject, ProblemCode, Reply } from '../../contract/index.ts';
import type { Call } from '../call.ts';
import { refusalOf } from '../read-body.ts';
import { refuse } from '../refuse.ts';
import { isPlainJson } from './media-type.ts';
import { parseRequestBody } from './request-body.ts';

/** Untrusted input ends as a refusal, never as a throw. */
export async function read(call: Call): Promise<Reply | undefined> {
  let { bytes } = call;
  if (bytes === undefined) {
    // Before the body is read, where it surely has one: it may be large, and a client may wait to be invited to send it.
    if (Number(call.request.headers['content-length'] ?? 0) > 0 && !isPlainJson(call.request.headers))
      return refuseBody(call, 'unsupported_media_type');
    const sent = await call.readBody('known');
    if (!sent.ok) return refuse(call, refusalOf(sent.why), call.admission.trigger);
    bytes = sent.bytes;
  }
  const body = parseRequestBody(call.request.headers, bytes, (needed) => call.hasRoom(needed));
  if (body.kind === 'no_room') return refuse(call, refusalOf('no_memory'), call.admission.trigger);
  if (body.kind === 'refused') return refuseBody(call, body.code, body.members);
  call.body = body;
  return undefined;
}

function refuseBody(call: Call, code: ProblemCode, members?: JsonObject): Reply {
  return refuse(call, { kind: 'refused', code, reason: '' }, call.admission.trigger, members);
}
