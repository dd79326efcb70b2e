import type { IncomingMessage } from 'node:http';
import type { BodyNeeded, Decision, Handshake, Refusal } from '../runtime/admission.ts';
import type { Snapshot } from '../runtime/snapshot.ts';
import { type ReadBody, readBody } from './read-body.ts';
import type { Route } from './route.ts';

/** What becomes of a request that its head did not let in. */
export interface LateDecision {
  readonly decision: Decision;
  /** The body, if it was read on the way. */
  readonly sent?: Extract<ReadBody, { readonly ok: true }>;
}

interface Request {
  readonly raw: IncomingMessage;
  readonly route: Route;
  readonly snapshot: Snapshot;
}

const noBytes = new Uint8Array();

/**
 * Decides by the body where the head does not tell who calls. Whoever shows a signature is refused only when the body
 * has been read, whatever is asked for: else the time of the answer would tell which triggers verify one. A request to
 * a run has no body that counts.
 */
export async function decideLate(
  early: Refusal | Handshake | BodyNeeded,
  { raw, route, snapshot }: Request,
): Promise<LateDecision> {
  if (route.kind !== 'trigger') return { decision: await decidedBy(early, noBytes) };
  const isSigned = snapshot.signatureHeaders.some((name) => raw.headers[name] !== undefined);
  if (early.kind === 'handshake' || (early.kind === 'refused' && !isSigned)) return { decision: early };
  const sent = await readBody(raw, snapshot.config.server.bodyLimitBytes);
  if (sent.ok) return { decision: await decidedBy(early, sent.bytes), sent };
  return { decision: { kind: 'refused', code: sent.tooLarge ? 'body_too_large' : 'bad_request', reason: '' } };
}

function decidedBy(early: Refusal | Handshake | BodyNeeded, body: Uint8Array): Decision | Promise<Decision> {
  return early.kind === 'needs_body' ? early.decide(body) : early;
}
