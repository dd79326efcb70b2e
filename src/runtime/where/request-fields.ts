import { type RecordedRequest, verdicts } from '../../engine/types/index.ts';
import type { Fields } from './parse-where.ts';

/** By what recorded requests are selected. */
export const requestFields: Fields<RecordedRequest> = {
  verdict: { kind: 'text', values: verdicts, read: ({ verdict }) => [verdict] },
  trigger: { kind: 'text', ignoresCase: true, read: ({ project, trigger }) => [trigger, `${project}/${trigger}`] },
  project: { kind: 'text', read: ({ project }) => [project] },
  caller: { kind: 'text', read: ({ caller }) => [caller] },
  code: { kind: 'text', read: ({ code }) => given(code) },
  status: { kind: 'number', read: ({ status }) => status },
  by: { kind: 'text', read: ({ by }) => given(by) },
  age: { kind: 'duration', read: ({ receivedAt }, now) => now - receivedAt },
  revision: { kind: 'text', read: ({ revision }) => [revision] },
  ip: { kind: 'text', read: ({ ip }) => [ip] },
  request: { kind: 'text', read: ({ requestId }) => given(requestId) },
  run: { kind: 'text', read: ({ runId }) => given(runId) },
  id: { kind: 'text', read: ({ id }) => [id] },
};

function given(text: string | undefined): readonly string[] {
  return text === undefined ? [] : [text];
}
