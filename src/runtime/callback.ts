import {
  type JsonObject,
  type OutboundClient,
  OutboundError,
  type PluginLog,
  retryAfterMs,
} from '../contract/index.ts';
import type { RunRecord } from '../engine/types/index.ts';
import type { CallbackTarget } from '../host/callback-target.ts';
import { signatureOf } from '../host/signing.ts';
import { describeRun } from './run-view.ts';

/** The pauses between attempts that Standard Webhooks recommends, in seconds; there is no attempt after the last one. */
const pausesSeconds = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];
/** The share by which a pause varies. */
const jitter = 0.2;

export interface CallbackOptions {
  readonly client: OutboundClient;
  readonly log: PluginLog;
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
  { client, log, timeoutMs = 15_000 }: CallbackOptions,
): Promise<number | undefined> {
  const url = new URL(target.url);
  // The path may hold a token.
  const { id: runId, requestId, project, trigger } = run;
  const names = { runId, ...(requestId !== undefined && { requestId }), project, trigger };
  const fields = { ...names, host: url.host, attempt };
  let failure: string;
  let askedMs = 0;
  try {
    const body = JSON.stringify(eventOf(run));
    const id = `run_${run.id}`;
    const at = new Date();
    const answer = await client.request(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'pullcord',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': signatureOf(target.secret, id, at, body),
      },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    await answer.discard();
    const { status } = answer;
    if (status >= 200 && status < 300) return undefined;
    if (status === 410) {
      log.warn(fields, 'callback receiver is gone (410); not retried');
      return undefined;
    }
    failure = `answered ${status}`;
    askedMs = retryAfterMs(answer.headers['retry-after'], at.getTime()) ?? 0;
  } catch (error) {
    failure = OutboundError.from(error)?.code ?? 'did not answer in time';
  }
  const pauseSeconds = pausesSeconds[attempt - 1];
  if (pauseSeconds === undefined) {
    log.error({ ...fields, failure }, 'callback failed for the last time; giving up');
    return undefined;
  }
  const pauseMs = pauseSeconds * 1000 * (1 - jitter + 2 * jitter * Math.random());
  const delayMs = Math.round(Math.max(pauseMs, askedMs));
  if (!signal.aborted) log.warn({ ...fields, failure, retryInMs: delayMs }, 'callback failed');
  return delayMs;
}

function eventOf(run: RunRecord): JsonObject {
  const { project, trigger, sessionId, finishedAt = run.acceptedAt } = run;
  return {
    type: `run.${run.state}`,
    timestamp: new Date(finishedAt).toISOString(),
    data: { project, trigger, ...(sessionId !== undefined && { sessionId }), ...describeRun(run) },
  };
}
