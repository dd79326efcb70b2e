import type { FailedRunResult, JsonObject, JsonValue } from '../../../src/contract/index.ts';
import {
  type AgentResponse,
  failed,
  failureOfStatus,
  isTransient,
  membersOf,
  parseAgentJson,
  withDetail,
} from '../../../src/run-kit/index.ts';

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
  const text = await response.text().catch(() => '');
  const json = parseAgentJson(text);
  const error = membersOf(json.ok ? json.value : null);
  const failure = withDetail({ ...failureOfStatus(response), ...failureOf(error, status) }, text);
  return conversationId !== undefined && isConversationLost(error, status) ? lostConversation(failure) : failure;
}

/** A quota of the plan is exhausted, which another attempt does not change. It comes with the status 429. */
const quotaCode = 'rate_limit_error';

/** How Dify reports that the model's provider is busy: in words only, after the provider's name. */
const busyProvider = /\] (Rate Limit|Server Unavailable|Connection) Error\b/;

/** Returns the failure that an error of Dify means: `{ code, message, status }`. Its message may repeat the app's input. */
export function failureOf(error: JsonObject, httpStatus?: number): FailedRunResult {
  const { code, message, status } = error;
  const what = httpStatus === undefined ? 'the app failed' : `agent answered ${httpStatus}`;
  const given = httpStatus ?? status;
  const isBusy = (typeof given === 'number' && isTransient(given)) || isProviderBusy(message);
  return withDetail(failed(isCode(code) ? `${what} (${code})` : what, isBusy && code !== quotaCode), error);
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
      return withDetail(failed('the workflow failed', isProviderBusy(error)), error);
  }
}

/**
 * Whether an error says that the conversation cannot be continued. Dify calls that `not_found`, as it does an address that
 * does not exist, which is no reason to forget a conversation.
 */
function isConversationLost({ code, message }: JsonObject, httpStatus: number): boolean {
  if (code === 'conversation_not_exists' || code === 'conversation_completed') return true;
  const isAddress = typeof message === 'string' && /requested URL was not found/i.test(message);
  return httpStatus === 404 && code === 'not_found' && !isAddress;
}

/** The same failure, after which the session forgets its conversation. */
function lostConversation({ message, detail }: FailedRunResult): FailedRunResult {
  const lost = failed(`${message}: the conversation is gone, and the next request begins a new one`);
  return { ...withDetail(lost, detail), memory: null };
}

function isProviderBusy(message: JsonValue | undefined): boolean {
  return typeof message === 'string' && busyProvider.test(message);
}

function isCode(code: JsonValue | undefined): code is string {
  return typeof code === 'string' && /^[a-z0-9_]{1,64}$/.test(code);
}
