import type { RunRequest } from '../../src/contract/index.ts';

export { drive } from '../../src/run-kit/conformance/drive.ts';

/** The request of a first run without a session. */
export function runRequest(changes: Partial<RunRequest> = {}): RunRequest {
  return {
    id: '01890a5d-ac96-774b-bcce-b302099a8057',
    project: 'support',
    trigger: 'refund-request',
    sessionId: undefined,
    input: { environment: 'api', language: 'en', instruction: 'refund order 7 – süß' },
    attempt: 1,
    completionUrl: '/api/v1.0/project/support/trigger/refund/run/run-1/completion',
    ...changes,
  };
}
