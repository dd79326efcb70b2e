import { channels, type Reply } from '../contract/index.ts';
import { problemCodeOf, statusOf } from '../runtime/reply.ts';
import { outcomeOf, reasonOf } from '../runtime/verdict.ts';
import type { Call } from './call.ts';

/** Publishes and records the outcome of a request: the only place that does. */
export function conclude(call: Call, reply: Reply): void {
  const { services, verdict, trigger, recordingId, exchange, message, caller } = call;
  const code = problemCodeOf(reply);
  message.project = trigger?.project.id;
  message.trigger = trigger?.key;
  message.caller = caller?.id;
  message.secret = caller?.credential;
  message.status = statusOf(reply);
  message.code = code;
  if (code === 'invalid_body') message.detail = faultOf(reply);
  if (verdict !== undefined) {
    message.outcome = outcomeOf(verdict);
    message.reason = reasonOf(verdict);
    if ('runId' in verdict) message.runId = verdict.runId;
    if (verdict.kind === 'accepted' && verdict.shadowed !== undefined)
      message.shadowed = [...message.shadowed, ...verdict.shadowed];
  }
  channels.request.decided.publish(message);
  // Only what reached the pipeline is recorded.
  if (verdict === undefined || verdict.kind === 'refused' || verdict.kind === 'handshake') return;
  if (recordingId === undefined || exchange === undefined || trigger === undefined) return;
  services.recorder.record(recordingId, trigger, exchange, verdict, reply);
}

/** What the answer says is wrong with the body: where, and what is expected there, never a value. */
function faultOf({ body }: Reply): string {
  const { errors, detail } = problemMembers(body);
  const [first] = Array.isArray(errors) ? errors : [];
  const { pointer = '', message = detail } = problemMembers(first);
  return `${pointer} ${message}`.trim();
}

function problemMembers(value: unknown): Readonly<Record<string, unknown>> {
  return Object(value);
}
