import type { FailedRunResult, JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { type AgentResponse, failed, failureOfStatus, isTransient, membersOf } from '../../../src/run-kit/index.ts';

/** Returns why a response is no answer; undefined: its body is a stream of events, and still to be read. */
export async function refusalIn(
  response: AgentResponse,
  conversationId: string | undefined,
): Promise<FailedRunResult | undefined> {
  const { status } = response;
  if (response.ok && response.mediaType === 'text/event-stream') return undefined;
  if (status < 400) {
    await response.discard();
    return response.ok
      ? failed('agent answered with something that is not a stream of events')
      : failureOfStatus(response);
  }
  const error = membersOf(await response.json().catch(() => null));
  const failure = { ...failureOfStatus(response), ...failureOf(error, status) };
  return conversationId !== undefined && isConversationLost(error, status) ? lostConversation(failure) : failure;
}

/** A quota of the plan is exhausted, which another attempt does not change. It comes with the status 429. */
const quotaCode = 'rate_limit_error';

/** How Dify reports that the model's provider is busy: in words only, after the provider's name. */
const busyProvider = /\] (Rate Limit|Server Unavailable|Connection) Error\b/;

/** Returns the failure that an error of Dify means: `{ code, message, status }`. Its message may repeat the app's input. */
export function failureOf({ code, message, status }: JsonObject, httpStatus?: number): FailedRunResult {
  const what = httpStatus === undefined ? 'the app failed' : `agent answered ${httpStatus}`;
  const given = httpStatus ?? status;
  const isBusy = (typeof given === 'number' && isTransient(given)) || isProviderBusy(message);
  return failed(isCode(code) ? `${what} (${code})` : what, isBusy && code !== quotaCode);
}

/** Returns the failure that a workflow ended with, by the `data` of its `workflow_finished`. */
export function failureOfWorkflow({ status, error }: JsonObject): FailedRunResult | undefined {
  switch (status) {
    case 'succeeded':
    case 'partial-succeeded':
      return undefined;
    case 'stopped':
      return failed('the workflow was stopped');
    default:
      return failed('the workflow failed', isProviderBusy(error));
  }
}

/**
 * Whether an error says that the conversation cannot be continued. Dify calls that `not_found`, as it does an address that
 * does not exist, which is no reason to forget a conversation.
 */
function isConversationLost({ code, message }: JsonObject, httpStatus: number): boolean {
  if (code === 'conversation_not_exists' || code === 'conversation_completed') return true;
  return httpStatus === 404 && code === 'not_found' && !/requested URL was not found/i.test(String(message));
}

/** The same failure, after which the session forgets its conversation. */
function lostConversation({ message }: FailedRunResult): FailedRunResult {
  return { ...failed(`${message}: the conversation is gone, and the next request begins a new one`), memory: null };
}

function isProviderBusy(message: JsonValue | undefined): boolean {
  return typeof message === 'string' && busyProvider.test(message);
}

function isCode(code: JsonValue | undefined): code is string {
  return typeof code === 'string' && /^[a-z0-9_]{1,64}$/.test(code);
}
