import { type Decision, decideByHead } from '../runtime/admission.ts';
import type { Call } from './call.ts';
import { decideByBody } from './gates/body-members.ts';

/**
 * Whether the current config would admit a request that was admitted before. It is judged as of its arrival, so that a
 * credential that has only expired since then counts as valid. Never rejects.
 */
export async function isStillAdmitted(call: Call): Promise<boolean> {
  const { services, route, head, bytes = noBytes } = call;
  const snapshot = services.live.current;
  snapshot.lease();
  try {
    const early = await decideByHead(snapshot, route, head);
    if (early.kind !== 'needs_body') return vouchesFor(early);
    return vouchesFor(await decideByBody(call, early, bytes));
  } catch {
    // The auth plugin failed, so nothing says that the caller is still valid.
    return false;
  } finally {
    snapshot.release();
  }
}

/** A trigger that was paused or deleted, a key server that is out of reach, or a lack of memory, says nothing about the caller. */
function vouchesFor(decision: Decision): boolean {
  return decision.kind !== 'refused' || (decision.code !== 'unauthorized' && decision.code !== 'forbidden');
}

const noBytes = Buffer.alloc(0);
