import type { Principal, Reply } from '../../contract/index.ts';
import { limitedReply } from '../../runtime/limits/limited-reply.ts';
import { chargeRequest, sweptAtRequest } from '../../runtime/limits/request-limits.ts';
import type { LiveTrigger } from '../../runtime/snapshot.ts';
import type { Call } from '../call.ts';
import { refuse } from '../refuse.ts';

/** Counts the requests of a caller, and refuses those for which a limit has no room: before anything of the body is read. */
export function limits(call: Call): Reply | undefined {
  return chargeHead(call, call.admission.trigger, call.admission.principal);
}

/** The same for a caller that has no credential yet. */
export function chargeHead(call: Call, trigger: LiveTrigger, caller: Principal): Reply | undefined {
  const { head, services } = call;
  services.requestLimits.sweep(head.receivedAt, sweptAtRequest);
  const charged = chargeRequest(services.requestLimits, trigger, caller, head);
  switch (charged.kind) {
    case 'room':
      if (charged.shadowed.length > 0) {
        call.trigger = trigger;
        call.shadowed = charged.shadowed;
      }
      return undefined;
    case 'filter_error':
      return refuse(call, { kind: 'refused', code: 'filter_error', reason: charged.reason, verdict: charged }, trigger);
    case 'limited': {
      const { limit } = charged.counted;
      const limited = { kind: 'limited', by: limit.name, limits: [charged.counted] } as const;
      call.verdict = { kind: 'refused', code: 'rate_limited', reason: limit.name, verdict: limited };
      call.trigger = trigger;
      return limitedReply(limit, charged.retryAt, head.receivedAt);
    }
  }
}
