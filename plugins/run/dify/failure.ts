import type { FailedRunResult, JsonObject, JsonValue } from '../../../src/contract/index.ts';
import { isPassing } from '../answered-status.ts';

/** A quota of the plan, which another try only finds exhausted too. It comes with the status 429. */
const quotaCode = 'rate_limit_error';

/** How Dify tells that the model's provider has too much to do: in words only, behind the provider's name. */
const providerIsBusy = /\] (Rate Limit|Server Unavailable|Connection) Error\b/;

/** Makes a failure of an error of Dify: `{ code, message, status }`. Its message may hold what the app was given. */
export function failureOf({ code, message, status }: JsonObject, httpStatus?: number): FailedRunResult {
  const what = httpStatus === undefined ? 'the app failed' : `agent answered ${httpStatus}`;
  const said = httpStatus ?? status;
  const isBusy = (typeof said === 'number' && isPassing(said)) || tellsOfBusyProvider(message);
  return {
    kind: 'failed',
    message: isCode(code) ? `${what} (${code})` : what,
    retryable: isBusy && code !== quotaCode,
  };
}

/** The failure that a workflow ended with, of the `data` of its `workflow_finished`. */
export function failureOfWorkflow({ status, error }: JsonObject): FailedRunResult | undefined {
  switch (status) {
    case 'succeeded':
    case 'partial-succeeded':
      return undefined;
    case 'stopped':
      return { kind: 'failed', message: 'the workflow was stopped', retryable: false };
    default:
      return { kind: 'failed', message: 'the workflow failed', retryable: tellsOfBusyProvider(error) };
  }
}

/**
 * Whether an error says that the conversation to be continued is gone, or will not go on. Dify says no more than
 * `not_found` of it, as of an address that does not exist, and that is no reason to forget anything.
 */
export function saysConversationIsLost({ code, message }: JsonObject, httpStatus: number): boolean {
  if (code === 'conversation_not_exists' || code === 'conversation_completed') return true;
  return httpStatus === 404 && code === 'not_found' && !/requested URL was not found/i.test(String(message));
}

/** The same failure, after which the session forgets its conversation. */
export function lostConversation({ message }: FailedRunResult): FailedRunResult {
  const told = `${message}: the conversation is gone, and the next request begins a new one`;
  return { kind: 'failed', message: told, retryable: false, memory: null };
}

function tellsOfBusyProvider(message: JsonValue | undefined): boolean {
  return typeof message === 'string' && providerIsBusy.test(message);
}

function isCode(code: JsonValue | undefined): code is string {
  return typeof code === 'string' && /^[a-z0-9_]{1,64}$/.test(code);
}
