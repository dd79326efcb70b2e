import type { FailedRunResult, JsonValue } from '../../../src/contract/index.ts';
import { AgentFault, type AgentResponse, failureOfStatus } from '../../../src/run-kit/index.ts';

/** Where a run is on the server. A stateless run may be in a thread that the server does not name. */
export interface RunPlace {
  readonly threadId: string | undefined;
  readonly runId: string;
}

/** What a status means on this server, where that is not plain. */
const meanings: Readonly<Record<number, string>> = {
  401: 'the API key is not accepted',
  403: 'the API key does not suffice',
  404: 'there is no such assistant, or no LangGraph server',
  409: 'the thread is busy',
  422: 'the request does not suit the graph',
};

/** Returns the failure that an unsuccessful status means. */
export async function refused(response: AgentResponse): Promise<FailedRunResult> {
  await response.discard();
  const { status } = response;
  const failure = failureOfStatus(response);
  const message = meanings[status] === undefined ? failure.message : `${failure.message}: ${meanings[status]}`;
  // 409: the thread is busy with a run that must not be interrupted.
  return { ...failure, message, retryable: failure.retryable || status === 409 };
}

/** Returns the JSON of a response. Throws an AgentFault if its status is not one of success. */
export async function jsonOf(response: AgentResponse): Promise<JsonValue> {
  if (!response.ok) throw new AgentFault(await refused(response));
  return response.json();
}

const uuid = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
const location = new RegExp(`(?:/threads/(${uuid}))?/runs/(${uuid})$`);

/** Returns the run that a response belongs to, by its head. */
export function placeOf({ headers }: AgentResponse): RunPlace | undefined {
  const [, threadId, runId] = location.exec(String(headers['content-location'] ?? '')) ?? [];
  return runId === undefined ? undefined : { threadId, runId };
}
