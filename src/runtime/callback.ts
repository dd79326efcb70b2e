import {
  type CallbackMessage,
  channels,
  type JsonObject,
  type ObservedGateway,
  type OutboundClient,
  OutboundError,
  retryAfterMs,
} from '../contract/index.ts';
import type { RunRecord } from '../engine/types/index.ts';
import type { CallbackTarget } from '../host/callback-target.ts';
import { signatureOf } from '../host/signing.ts';
import { describeRun } from './run-view.ts';
import { headersOf, type Tracer } from './tracing/tracer.ts';

/** The pauses between attempts that Standard Webhooks recommends, in seconds; there is no attempt after the last one. */
const pausesSeconds = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
/** The share by which a pause varies. */
const jitter = 0.2;

export interface CallbackOptions {
  readonly client: OutboundClient;
  /** As its messages name it. */
  readonly gateway: ObservedGateway;
  readonly tracer: Tracer;
  /** How long one attempt may take. */
  readonly timeoutMs?: number;
}

/**
 * Sends the callback of a final run: a POST signed according to Standard Webhooks, with the same `webhook-id` in each
 * attempt. Returns the milliseconds until the next attempt, or undefined when there is none. Never rejects.
 */
export async function sendCallback(
  run: RunRecord,
  target: CallbackTarget,
  attempt: number,
  signal: AbortSignal,
  { client, gateway, tracer, timeoutMs = 15_000 }: CallbackOptions,
): Promise<number | undefined> {
  const url = new URL(target.url);
  const message = messageOf(gateway, run, { host: url.host, attempt, trace: tracer.ofRun(run) });
  const startedAt = performance.now();
  const ended = (end: Partial<CallbackMessage>): number | undefined => {
    const isCut = signal.aborted && (end.result === 'failed' || end.result === 'given_up');
    Object.assign(message, isCut ? { result: 'released' } : end, { durationMs: performance.now() - startedAt });
    channels.callback.decided.publish(message);
    channels.callback.end.publish(message);
    return end.retryInMs;
  };
  let failure: string;
  let askedMs = 0;
  let status: number | undefined;
  channels.callback.start.publish(message);
  try {
    const body = JSON.stringify(eventOf(run));
    const id = `run_${run.id}`;
    const at = new Date();
    const answer = await client.request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'pullcord',
        ...headersOf(message.trace),
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': signatureOf(target.secret, id, at, body),
      },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    await answer.discard();
    status = answer.status;
    if (status >= 200 && status < 300) return ended({ result: 'delivered', status });
    if (status === 410) return ended({ result: 'gone', failure: 'answered 410', status });
    failure = `answered ${status}`;
    askedMs = retryAfterMs(answer.headers['retry-after'], at.getTime()) ?? 0;
  } catch (error) {
    failure = OutboundError.from(error)?.code ?? 'did not answer in time';
  }
  const pauseSeconds = pausesSeconds[attempt - 1];
  if (pauseSeconds === undefined) return ended({ result: 'given_up', failure, status });
  const pauseMs = pauseSeconds * 1000 * (1 - jitter + 2 * jitter * Math.random());
  return ended({ result: 'failed', failure, status, retryInMs: Math.round(Math.max(pauseMs, askedMs)) });
}

function messageOf(
  gateway: ObservedGateway,
  run: RunRecord,
  sent: Pick<CallbackMessage, 'host' | 'attempt' | 'trace'>,
): CallbackMessage {
  const { id: runId, requestId, project, trigger } = run;
  return {
    ...{ gateway, runId, requestId, project, trigger },
    ...sent,
    result: undefined,
    status: undefined,
    failure: undefined,
    retryInMs: undefined,
    durationMs: undefined,
  };
}

function eventOf(run: RunRecord): JsonObject {
  const { project, trigger, sessionId, finishedAt = run.acceptedAt } = run;
  return {
    type: `run.${run.state}`,
    timestamp: new Date(finishedAt).toISOString(),
    data: {
      project,
      trigger,
      ...(sessionId !== undefined && { sessionId }),
      ...describeRun(run),
    },
  };
}
