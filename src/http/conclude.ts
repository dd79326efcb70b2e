import type { Reply } from '../contract/index.ts';
import { noBody } from '../runtime/body/trigger-body.ts';
import { exchangeOf } from '../runtime/exchange.ts';
import { hasFailed } from '../runtime/recording/recorder.ts';
import { problemCodeOf, statusOf } from '../runtime/reply.ts';
import { outcomeOf, reasonOf, type Verdict } from '../runtime/verdict.ts';
import type { Call } from './call.ts';
import type { RefusedRequest } from './outcome-log.ts';

/** Counts, logs and records the outcome of a request: the only place that does. */
export function conclude(call: Call, reply: Reply): void {
  const { services, verdict, trigger } = call;
  const code = problemCodeOf(reply);
  if (verdict === undefined) {
    // Reads of runs and completions are not counted.
    if (code !== undefined) services.outcomes.log(() => refusedRequest(call, reply, code, ''));
    return;
  }
  const outcome = outcomeOf(verdict);
  const reason = reasonOf(verdict);
  if (verdict.kind === 'accepted' && verdict.shadowed !== undefined)
    services.outcomes.shadowed(trigger, verdict.shadowed);
  // A run that was accepted may end in an error.
  const refusal = outcome === 'accepted' ? code : outcome === 'handshake' ? undefined : outcome;
  const line = refusal === undefined ? undefined : () => refusedRequest(call, reply, refusal, reason);
  services.outcomes.count(trigger, outcome, reason, line);
  record(call, reply, verdict);
}

/** Records what reached the pipeline, or was refused before for a reason that is recorded. */
function record(call: Call, reply: Reply, of: Verdict): void {
  const verdict = of.kind === 'refused' ? of.verdict : of.kind === 'handshake' ? undefined : of;
  const { services, trigger, recordingId, exchange, firing, snapshot, head, shadowed } = call;
  if (verdict === undefined || trigger === undefined || firing === undefined) return;
  const id = recordingId ?? services.recorder.chooseByOutcome({ trigger, verdict, reply });
  if (id === undefined) return;
  const decided = verdict.kind === 'accepted' && hasFailed(reply) ? { ...verdict, hasFailed: true } : verdict;
  services.recorder.record(id, recordingId !== undefined, exchange?.bodyText?.length ?? 0, () => ({
    ...{ snapshot, trigger, reply, shadowed, verdict: decided, isBodyRead: exchange !== undefined },
    exchange: exchange ?? exchangeOf(head, trigger, firing.principal, noBody, firing.event),
  }));
}

function refusedRequest(call: Call, reply: Reply, outcome: string, reason: string): RefusedRequest {
  const { head, trigger, verdict, caller } = call;
  // What the answer to a run says may be the agent's.
  const isRefused = verdict === undefined || verdict.kind === 'refused';
  return {
    requestId: head.requestId,
    status: statusOf(reply),
    project: trigger?.project.id,
    trigger: trigger?.key,
    caller: caller?.id,
    secret: caller?.credential,
    runId: verdict !== undefined && 'runId' in verdict ? verdict.runId : undefined,
    outcome,
    reason: reason || (call.reason ?? (isRefused ? faultOf(reply) : '')),
  };
}

/** What the answer of the gateway says is wrong: of a body where, and what is expected there. Never a value. */
function faultOf({ body }: Reply): string {
  const { code, errors, detail = '' } = problemMembers(body);
  if (code !== 'invalid_body') return String(detail);
  const [first] = Array.isArray(errors) ? errors : [];
  const { pointer = '', message = detail } = problemMembers(first);
  return `${pointer} ${message}`.trim();
}

function problemMembers(value: unknown): Readonly<Record<string, unknown>> {
  return Object(value);
}
