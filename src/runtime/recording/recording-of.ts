import type { Exchange, Reply } from '../../contract/index.ts';
import type { NewRecording, RecordedDetails, RecordedLimit, RecordedOrigin } from '../../engine/types/index.ts';
import type { CountedLimit } from '../limits/counted-limit.ts';
import { problemCodeOf, statusOf } from '../reply.ts';
import type { LiveTrigger, Snapshot } from '../snapshot.ts';
import { type PipelineVerdict, verdictWords } from '../verdict.ts';
import { decisivePlace } from './decisive-place.ts';
import { maskSentBody, type RecordedBody } from './mask-sent-body.ts';
import { pickHeaders } from './recorded-headers.ts';
import { recordedOrigin } from './recorded-origin.ts';

/** A request, and what became of it. */
export interface Concluded {
  readonly snapshot: Pick<Snapshot, 'config' | 'gitCommit' | 'isDirty'>;
  readonly trigger: LiveTrigger;
  /** Without a body if that was not read. */
  readonly exchange: Exchange;
  readonly isBodyRead: boolean;
  readonly verdict: PipelineVerdict;
  readonly reply: Reply;
  /** Limits in shadow mode that would have refused it before its body was read. */
  readonly shadowed?: readonly CountedLimit[] | undefined;
}

/** @param isSampled whether it was chosen at random, or is recorded for its outcome alone */
export function recordingOf(id: string, isSampled: boolean, concluded: Concluded): NewRecording {
  const { snapshot, trigger, exchange, verdict, reply } = concluded;
  const { mask = [], count, ageMs, keepsBodies = true } = trigger.config.recording ?? {};
  const { text, masked, ...sent } = keepsBodies ? sentBy(concluded, mask) : nothing;
  const { by, runId } = { by: undefined, runId: undefined, ...verdict };
  return {
    request: {
      id,
      receivedAt: exchange.receivedAt,
      project: trigger.project.id,
      trigger: trigger.key,
      caller: exchange.caller.id,
      requestId: exchange.requestId,
      ip: exchange.ip,
      ...sent,
      bodyText: text,
      masked,
      verdict: verdictWords[verdict.kind].recorded,
      code: problemCodeOf(reply),
      status: statusOf(reply),
      by,
      // That of a busy session is the run of another request.
      runId: verdict.kind === 'busy' ? undefined : runId,
      revision: trigger.revision,
      provenance: trigger.lineOf(decisivePlace(trigger, verdict, snapshot.config)),
      details: detailsOf(isSampled, concluded),
    },
    count,
    ageMs,
  };
}

interface Sent extends Pick<RecordedBody, 'text' | 'masked'> {
  readonly headers: Readonly<Record<string, string>>;
  readonly origin: RecordedOrigin;
}

const nothing: Sent = { text: undefined, masked: [], headers: {}, origin: { query: {}, event: {}, claims: {} } };

function sentBy({ trigger, exchange }: Concluded, mask: readonly string[]): Sent {
  const { text, masked, contentType } = maskSentBody(exchange, mask, { areCredentialsMasked: true });
  const headers = pickHeaders(exchange.headers, trigger.recordedHeaders);
  return {
    text,
    masked,
    headers: contentType === undefined ? headers : { ...headers, 'content-type': contentType },
    origin: recordedOrigin(exchange, trigger.recordedClaims, masked),
  };
}

function detailsOf(isSampled: boolean, { snapshot, trigger, verdict, isBodyRead, shadowed = [] }: Concluded) {
  const { rate = 0, keepsBodies = true, mask = [] } = trigger.config.recording ?? {};
  const { gitCommit, isDirty } = snapshot;
  const counted = [...('limits' in verdict ? (verdict.limits ?? []) : []), ...shadowed];
  const isShown = keepsBodies && mask.length === 0;
  const omitted = keepsBodies ? (isBodyRead ? undefined : 'not_read') : 'not_kept';
  const reason = 'reason' in verdict && verdict.kind !== 'dropped' ? verdict.reason : undefined;
  return {
    ...{ sampled: isSampled, rate },
    ...(reason !== undefined && { reason }),
    ...(gitCommit !== undefined && { gitCommit }),
    ...(isDirty !== undefined && { dirty: isDirty }),
    ...(counted.length > 0 && { limits: counted.map((one) => recordedLimit(one, trigger, isShown)) }),
    ...(omitted !== undefined && { omitted }),
  } satisfies RecordedDetails;
}

/** @param isShown whether values that an expression finds in the body may be stored: a mask may be for them */
function recordedLimit({ limit, value }: CountedLimit, { lineOf }: LiveTrigger, isShown: boolean): RecordedLimit {
  const { id, name, level, per, isShadow, place } = limit.config;
  return {
    ...{ id, name, level, mode: isShadow ? 'shadow' : 'enforce' },
    ...(per !== undefined && { per: per.kind === 'expression' ? per.expression : per.kind }),
    ...(per !== undefined && (isShown || per.kind !== 'expression') && { value }),
    provenance: lineOf(place),
  };
}
