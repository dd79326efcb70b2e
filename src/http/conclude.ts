import { type BodyReply, channels, type Reply } from '../contract/index.ts';
import { noBody } from '../runtime/body/trigger-body.ts';
import { exchangeOf } from '../runtime/exchange.ts';
import { hasFailed } from '../runtime/recording/recorder.ts';
import { problemCodeOf, statusOf } from '../runtime/reply.ts';
import type { LiveTrigger } from '../runtime/snapshot.ts';
import { outcomeOf, reasonOf, type Verdict } from '../runtime/verdict.ts';
import type { Call } from './call.ts';

/** Publishes and records the outcome of a request: the only place that does. */
export function conclude(call: Call, reply: Reply): void {
  const { verdict, trigger, message } = call;
  const code = problemCodeOf(reply);
  identify(call, trigger);
  message.status = statusOf(reply);
  message.code = code;
  message.detail = call.reason ?? (code === undefined ? '' : detailOf(reply, verdict));
  if (verdict !== undefined) {
    message.outcome = outcomeOf(verdict);
    message.reason = reasonOf(verdict);
    if ('runId' in verdict) message.runId = verdict.runId;
  }
  const shadowed = verdict?.kind === 'accepted' ? verdict.shadowed : undefined;
  if (call.shadowed !== undefined) {
    message.shadowed = [...call.shadowed.map(({ limit }) => limit.name), ...(shadowed ?? [])];
  } else if (shadowed !== undefined) message.shadowed = shadowed;
  channels.request.decided.publish(message);
  if (verdict !== undefined) record(call, reply, verdict);
}

/**
 * Publishes that a request ends in a failure of the gateway. One whose outcome is published already keeps that: it was decided
 * before its answer could not be sent.
 */
export function concludeError(call: Call, reply: BodyReply): void {
  const { message, firing } = call;
  const isDecided = message.status !== undefined;
  const code = problemCodeOf(reply);
  message.status = reply.status;
  message.code = code;
  if (isDecided) return;
  identify(call, call.trigger ?? firing?.trigger);
  if (firing !== undefined) message.outcome = code;
  channels.request.decided.publish(message);
}

/** Says which trigger a request is for, and who sent it, as far as that is known. */
function identify({ message, caller }: Call, trigger: LiveTrigger | undefined): void {
  message.project = trigger?.project.id;
  message.trigger = trigger?.key;
  message.caller = caller?.id;
  message.secret = caller?.credential;
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

/** What the answer to a run says may be the agent's, and is left out. */
function detailOf(reply: Reply, verdict: Verdict | undefined): string {
  if (verdict === undefined || verdict.kind === 'refused') return faultOf(reply);
  return verdict.kind === 'unavailable' ? verdict.reason : '';
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
