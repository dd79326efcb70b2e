import type { BodyNeeded, Decision, Handshake, Refusal } from '../../runtime/admission.ts';
import type { Call } from '../call.ts';
import { reasonOfUnread, refusalOf } from '../read-body.ts';
import { decideByBody } from './body-members.ts';

const noBytes = Buffer.alloc(0);

/**
 * Decides by the body where the headers do not identify the caller. A request with a signature is refused only after its
 * body has been read, at any address: otherwise the time of the answer would reveal which triggers verify signatures. A
 * request to a run has no body that matters.
 */
export async function decideLate(call: Call, early: Refusal | Handshake | BodyNeeded): Promise<Decision> {
  const { request, route, snapshot } = call;
  if (route.kind !== 'trigger') return decidedBy(call, early, noBytes);
  const isSigned = snapshot.mayBeSigned(request.headers);
  if (early.kind === 'handshake' || (early.kind === 'refused' && !isSigned)) return early;
  const sent = await call.readBody('unknown');
  // Also without memory: at once, and alike for every address.
  if (!sent.ok) {
    call.reason = reasonOfUnread(sent.why);
    return refusalOf(sent.why);
  }
  call.bytes = sent.bytes;
  return decidedBy(call, early, sent.bytes);
}

function decidedBy(call: Call, early: Refusal | Handshake | BodyNeeded, body: Buffer): Decision | Promise<Decision> {
  return early.kind === 'needs_body' ? decideByBody(call, early, body) : early;
}
