import { setTimeout as sleep } from 'node:timers/promises';
import type { RunPlugin, RunResult } from '../../../src/contract/index.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

export default {
  contract: 'v1',
  stage: 'run',
  name: 'echo',
  summary: 'Answers with its input, at once or after a delay. For trying a trigger without an agent.',
  optionsSchema: schema,
  create(_context, { delay: delayMs }) {
    return {
      execute(run, signal) {
        const result: RunResult = { kind: 'succeeded', output: run.input };
        return delayMs === undefined ? result : resultAfter(delayMs, result, signal);
      },
    };
  },
} satisfies RunPlugin<Options>;

async function resultAfter(delayMs: number, result: RunResult, signal: AbortSignal): Promise<RunResult> {
  try {
    return await sleep(delayMs, result, { signal });
  } catch (error) {
    if (signal.aborted) return { kind: 'failed', message: 'The run was aborted.', retryable: true };
    throw error;
  }
}
