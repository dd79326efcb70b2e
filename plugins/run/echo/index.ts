import { setTimeout as sleep } from 'node:timers/promises';
import type { FinalRunResult, RunEvent, RunPlugin, TriggerInput } from '../../../src/contract/index.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

export default {
  contract: 'v1',
  stage: 'run',
  name: 'echo',
  summary: 'Answers with its input, at once or after a delay. For trying a trigger without an agent.',
  optionsSchema: schema,
  create(_context, { delay: delayMs, stream }) {
    return {
      execute({ input }, attempt) {
        if (stream) return { kind: 'stream', events: wordByWord(input, delayMs, attempt.signal) };
        return delayMs === undefined
          ? { kind: 'succeeded', output: input }
          : resultAfter(delayMs, input, attempt.signal);
      },
    };
  },
} satisfies RunPlugin<Options>;

const aborted: FinalRunResult = Object.freeze({ kind: 'failed', message: 'The run was aborted.', retryable: true });

async function resultAfter(delayMs: number, input: TriggerInput, signal: AbortSignal): Promise<FinalRunResult> {
  try {
    return await sleep(delayMs, { kind: 'succeeded', output: input } as const, { signal });
  } catch (error) {
    if (signal.aborted) return aborted;
    throw error;
  }
}

async function* wordByWord(
  input: TriggerInput,
  delayMs: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<RunEvent, FinalRunResult, undefined> {
  const { instruction = '' } = input;
  const text = typeof instruction === 'string' ? instruction : JSON.stringify(instruction);
  for (const [word] of text.matchAll(/\s*\S+/g)) {
    if (delayMs !== undefined && (await resultAfter(delayMs, input, signal)) === aborted) return aborted;
    yield { kind: 'delta', text: word };
  }
  return { kind: 'succeeded', output: text };
}
