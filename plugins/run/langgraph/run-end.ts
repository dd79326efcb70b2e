import type { JsonValue } from '../../../src/contract/index.ts';
import { type AgentCalls, AgentFault, failed, membersOf, poll, type Seen } from '../../../src/run-kit/index.ts';
import { requireSuccess, type ThreadRun } from './server.ts';

/** How a run ended. */
export interface RunEnd {
  /** `unknown`: the server knows no such run. */
  readonly kind: 'success' | 'interrupted' | 'error' | 'unknown';
  /** Whether the server was still executing it when it was asked first. */
  readonly waited: boolean;
}

const meanings: ReadonlyMap<JsonValue | undefined, RunEnd['kind'] | 'working'> = new Map([
  ['pending', 'working'],
  ['running', 'working'],
  ['success', 'success'],
  ['interrupted', 'interrupted'],
  ['error', 'error'],
  ['timeout', 'error'],
]);

/** Pauses in milliseconds: a join may end before its run does. The join itself takes as long as the run. */
const pauses = { firstMs: 100, longestMs: 5_000, growth: 2, lookMs: Infinity };

/** Waits for the end of a run. */
export async function endOf({ threadId, runId }: ThreadRun, agent: AgentCalls, signal: AbortSignal): Promise<RunEnd> {
  const path = `/threads/${threadId}/runs/${runId}`;
  let waited = false;
  return poll({ signal }, pauses, async (signal): Promise<Seen<RunEnd>> => {
    const response = await agent.send({ method: 'GET', path }, signal);
    if (response.status === 404) {
      await response.discard();
      return { result: { kind: 'unknown', waited } };
    }
    await requireSuccess(response);
    const { status } = membersOf(await response.json());
    const kind = meanings.get(status);
    if (kind === undefined) throw new AgentFault(failed('agent reported an unknown run status'));
    if (kind !== 'working') return { result: { kind, waited } };
    waited = true;
    // Its answer is not used: some servers send an event to one reader only, so that it may lack the end.
    const joined = await agent.send({ method: 'GET', path: `${path}/join` }, signal);
    await requireSuccess(joined);
    await joined.discard();
    return {};
  });
}

/** Returns the state of a thread, in the form in which runs report it. */
export async function stateOf(threadId: string, agent: AgentCalls, signal: AbortSignal): Promise<JsonValue> {
  const response = await agent.send({ method: 'GET', path: `/threads/${threadId}/state` }, signal);
  await requireSuccess(response);
  const { values = null, tasks } = membersOf(await response.json());
  // A task with a result has been answered, although its question is listed until all tasks beside it have a result.
  const unfinished = Array.isArray(tasks) ? tasks.map(membersOf).filter(({ result = null }) => result === null) : [];
  const pending = unfinished.flatMap(({ interrupts = [] }) => interrupts);
  return pending.length === 0 ? values : { ...membersOf(values), __interrupt__: pending };
}
