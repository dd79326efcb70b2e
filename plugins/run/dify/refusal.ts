import {
  type FailedRunResult,
  type JsonObject,
  type OutboundResponse,
  retryAfterMs,
} from '../../../src/contract/index.ts';
import { parseAgentJson } from '../../../src/run-kit/index.ts';
import { answeredStatus } from '../answered-status.ts';
import { failed } from '../failed.ts';
import { isObject } from '../json-object.ts';
import { failureOf, lostConversation, saysConversationIsLost } from './failure.ts';

/** What a response comes to that is no answer; undefined: its body is a stream of events, and still to be read. */
export async function refusalIn(
  response: OutboundResponse,
  conversationId: string | undefined,
): Promise<FailedRunResult | undefined> {
  const { status, headers } = response;
  if (status >= 300 && status < 400) {
    await response.discard();
    return failed(answeredStatus(status));
  }
  if (status >= 200 && status < 300) {
    if (/^text\/event-stream\s*(;|$)/i.test(String(headers['content-type'] ?? ''))) return undefined;
    await response.discard();
    return failed('agent answered with something that is not a stream of events');
  }
  const error = errorIn(await response.bytes());
  const failure = failureOf(error, status);
  if (conversationId !== undefined && saysConversationIsLost(error, status)) return lostConversation(failure);
  const waitMs = retryAfterMs(headers['retry-after']);
  return { ...failure, ...(waitMs !== undefined && { retryAfterMs: waitMs }) };
}

function errorIn(body: Buffer): JsonObject {
  const parsed = parseAgentJson(body.toString('utf8'));
  return parsed.ok && isObject(parsed.value) ? parsed.value : {};
}
