import type { MaybePromise, Reply } from '../../contract/index.ts';
import { type BodyNeeded, type Decision, decideByHead } from '../../runtime/admission.ts';
import type { Call } from '../call.ts';
import { refuse } from '../refuse.ts';
import { narrowCors } from './cors.ts';
import { decideLate } from './late-decision.ts';

export function admit(call: Call): MaybePromise<Reply | undefined> {
  const decision = decideByHead(call.snapshot, call.route, call.head);
  if (decision instanceof Promise) return admitLate(call, decision);
  return decision.kind === 'admitted' ? apply(call, decision) : admitLate(call, decision);
}

async function admitLate(call: Call, early: MaybePromise<Decision | BodyNeeded>): Promise<Reply | undefined> {
  const decision = await early;
  return apply(call, decision.kind === 'admitted' ? decision : await decideLate(call, decision));
}

function apply(call: Call, decision: Decision): Reply | undefined {
  switch (decision.kind) {
    case 'admitted':
      call.admission = decision;
      narrowCors(call, decision.trigger);
      return undefined;
    case 'handshake':
      call.verdict = decision;
      call.trigger = decision.trigger;
      return decision.reply;
    case 'refused':
      return refuse(call, decision, decision.trigger);
  }
}
