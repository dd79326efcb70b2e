import type { Test } from 'tap';
import { type Plugin, type RunRequest, WorkBudget } from '../../src/contract/index.ts';
import { conversationId } from '../../src/engine/types/index.ts';
import { type RunPluginHarness, runPluginCases } from '../../src/run-kit/conformance.ts';
import { compileSchema } from '../../src/schema/validator.ts';

export { drive } from '../../src/run-kit/conformance.ts';

/** The request of a first run without a session. */
export function runRequest(changes: Partial<RunRequest> = {}): RunRequest {
  return {
    id: '01890a5d-ac96-774b-bcce-b302099a8057',
    project: 'support',
    trigger: 'refund-request',
    caller: 'website',
    sessionId: undefined,
    input: { environment: 'api', language: 'en', instruction: 'refund order 7 – süß' },
    attempt: 1,
    work: new WorkBudget(),
    completionUrl: '/api/v1.0/project/support/trigger/refund/run/run-1/completion',
    ...changes,
  };
}

/** Tries on a plugin what every run plugin promises. */
export function testPromises(t: Test, harness: RunPluginHarness): void {
  for (const { name, promise, run } of runPluginCases) {
    const reason = harness.exempt?.[promise];
    t.test(name, reason === undefined ? {} : { skip: reason }, () => run(harness));
  }
}

/** The request as a gateway makes it, in the session of its caller. */
export function inOwnSession(request: RunRequest): RunRequest {
  return { ...request, conversation: conversationId(request, 'caller') };
}

/** The JSON pointers at which the schema of a plugin refuses options as YAML has them. */
export function faultsOf({ optionsSchema }: Pick<Plugin, 'optionsSchema'>, options: object): readonly string[] {
  const validated = compileSchema(optionsSchema).validate(options);
  return validated.ok ? [] : validated.problems.map(({ pointer }) => pointer);
}
