import { type Decision, decideByHead } from '../runtime/admission.ts';
import type { Call } from './call.ts';

/**
 * Whether the current config would admit a request that was admitted before. It is judged as of its arrival, so that a
 * credential that has only expired since then counts as valid. Never rejects.
 */
export async function isStillAdmitted({ services, route, head, bytes = noBytes }: Call): Promise<boolean> {
  const snapshot = services.live.current;
  snapshot.lease();
  try {
    const early = await decideByHead(snapshot, route, head);
    return vouchesFor(early.kind === 'needs_body' ? await early.decide(bytes) : early);
  } catch {
    // The auth plugin failed, so nothing says that the caller is still valid.
    return false;
  } finally {
    snapshot.release();
  }
}

/** A trigger that was paused or deleted, or a key server that is out of reach, says nothing about the caller. */
function vouchesFor(decision: Decision): boolean {
  return decision.kind !== 'refused' || (decision.code !== 'unauthorized' && decision.code !== 'forbidden');
}

const noBytes = Buffer.alloc(0);
