import { AgentFault, type AgentResponse } from '../../../src/run-kit/index.ts';

/** A run in a thread. */
export interface ThreadRun {
  readonly threadId: string;
  readonly runId: string;
}

/** Where a run is on the server. A stateless run may be in a thread that the server does not name. */
export type RunPlace = Pick<ThreadRun, 'runId'> & { readonly threadId: string | undefined };

/** What a status means on this server, where that is not plain. */
const meanings: Readonly<Record<number, string>> = {
  401: 'the API key is not accepted',
  403: 'the API key does not suffice',
  404: 'there is no such assistant, or no LangGraph server',
  409: 'the thread is busy',
  422: 'the request does not suit the graph',
};

/** Rejects with an AgentFault unless the status of a response is one of success. */
export async function requireSuccess(response: AgentResponse): Promise<void> {
  if (response.ok) return;
  const { status } = response;
  const failure = await response.failure();
  const message = meanings[status] === undefined ? failure.message : `${failure.message}: ${meanings[status]}`;
  // 409: the thread is busy with a run that must not be interrupted.
  throw new AgentFault({ ...failure, message, retryable: failure.retryable || status === 409 });
}

const uuid = '[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}';
const location = new RegExp(`(?:/threads/(${uuid}))?/runs/(${uuid})$`);

/** Returns the run that a response belongs to, by its head. */
export function placeOf({ headers }: AgentResponse): RunPlace | undefined {
  const [, threadId, runId] = location.exec(String(headers['content-location'] ?? '')) ?? [];
  return runId === undefined ? undefined : { threadId, runId };
}
