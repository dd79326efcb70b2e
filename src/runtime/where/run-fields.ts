import { isFinal } from '../../contract/index.ts';
import type { RunRecord } from '../../engine/types/index.ts';
import { listedStates } from '../listed-states.ts';
import type { Fields } from './parse-where.ts';

/** By what runs are selected. */
export const runFields: Fields<RunRecord> = {
  state: { kind: 'text', values: listedStates, read: (run) => [run.state, ...(isSuspect(run) ? ['suspect'] : [])] },
  trigger: { kind: 'text', ignoresCase: true, read: ({ project, trigger }) => [trigger, `${project}/${trigger}`] },
  project: { kind: 'text', read: ({ project }) => [project] },
  caller: { kind: 'text', read: ({ caller }) => [caller] },
  secret: { kind: 'text', read: ({ secret }) => given(secret) },
  error: { kind: 'text', read: ({ failure }) => given(failure?.message) },
  attempt: { kind: 'number', read: ({ attempt }) => attempt },
  age: { kind: 'duration', read: ({ acceptedAt }, now) => now - acceptedAt },
  cost: { kind: 'number', read: ({ cost }) => cost && cost.nanos / 1e9 },
  tokens: { kind: 'number', read: ({ usage }) => usage && usage.inputTokens + usage.outputTokens },
  revision: { kind: 'text', read: ({ revision }) => [revision] },
  session: { kind: 'text', read: ({ sessionId }) => given(sessionId) },
  request: { kind: 'text', read: ({ requestId }) => given(requestId) },
  replayOf: { kind: 'text', read: ({ replayOf }) => given(replayOf) },
  id: { kind: 'text', read: ({ id }) => [id] },
};

function isSuspect({ state, interruptions }: RunRecord): boolean {
  return interruptions > 0 && !isFinal(state);
}

function given(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [text];
}
