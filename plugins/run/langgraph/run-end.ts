import type { JsonValue } from '../../../src/contract/index.ts';
import { type AgentClient, AgentFault, failed, membersOf, poll, type Seen } from '../../../src/run-kit/index.ts';
import { jsonOf } from './server.ts';

/** A run in a thread. */
export interface ThreadRun {
  readonly threadId: string;
  readonly runId: string;
}

/** How a run ended. */
export type RunEnd =
  /** `waited`: the server was still executing it when it was asked first. */
  | { readonly kind: 'success' | 'interrupted' | 'error'; readonly waited: boolean }
  /** The server knows no such run. */
  | { readonly kind: 'unknown' };

/** Pauses in milliseconds: a join may end before its run does. The join itself takes as long as the run. */
const pauses = { firstMs: 100, longestMs: 5_000, growth: 2, lookMs: Infinity };

/** Waits for the end of a run. */
export async function endOf({ threadId, runId }: ThreadRun, agent: AgentClient, signal: AbortSignal): Promise<RunEnd> {
  const path = `/threads/${threadId}/runs/${runId}`;
  let waited = false;
  return poll({ signal }, pauses, async (signal): Promise<Seen<RunEnd>> => {
    const response = await agent.send({ method: 'GET', path }, signal);
    if (response.status === 404) {
      await response.discard();
      return { result: { kind: 'unknown' } };
    }
    const { status } = membersOf(await jsonOf(response));
    switch (status) {
      case 'success':
      case 'interrupted':
      case 'error':
        return { result: { kind: status, waited } };
      case 'timeout':
        return { result: { kind: 'error', waited } };
      case 'pending':
      case 'running':
        break;
      default:
        throw new AgentFault(failed('agent reported an unknown run status'));
    }
    waited = true;
    // Its answer is not used: some servers send an event to one reader only, so that it may lack the end.
    const joined = await agent.send({ method: 'GET', path: `${path}/join` }, signal);
    if (!joined.ok) await jsonOf(joined);
    await joined.discard();
    return {};
  });
}

/** Returns the state of a thread, in the form in which runs report it. */
export async function stateOf(threadId: string, agent: AgentClient, signal: AbortSignal): Promise<JsonValue> {
  const response = await agent.send({ method: 'GET', path: `/threads/${threadId}/state` }, signal);
  const { values = null, tasks } = membersOf(await jsonOf(response));
  // A task with a result has been answered, although its question is listed until all tasks beside it have a result.
  const unfinished = Array.isArray(tasks) ? tasks.map(membersOf).filter(({ result = null }) => result === null) : [];
  const pending = unfinished.flatMap(({ interrupts = [] }) => interrupts);
  return pending.length === 0 ? values : { ...membersOf(values), __interrupt__: pending };
}
