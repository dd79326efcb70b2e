import { setTimeout as sleep } from 'node:timers/promises';
import type { FinalRunResult, RunEvent, RunPlugin, RunRequest } from '../../../src/contract/index.ts';
import { attempt, exactInput, instructionOf, settle } from '../../../src/run-kit/index.ts';
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
      reportsUsage: false,
      execute(run, host) {
        const succeeded = { kind: 'succeeded', output: run.input } as const;
        if (stream) {
          const events = attempt(host, ({ signal }) => wordByWord(run, delayMs, signal));
          return { kind: 'stream', events };
        }
        return delayMs === undefined
          ? succeeded
          : settle(host, ({ signal }) => sleep<FinalRunResult>(delayMs, succeeded, { signal }));
      },
    };
  },
} satisfies RunPlugin<Options>;

async function* wordByWord(
  run: RunRequest,
  delayMs: number | undefined,
  signal: AbortSignal,
): AsyncGenerator<RunEvent, FinalRunResult, undefined> {
  // Without an instruction it is the input that is echoed, as it is if nothing is streamed.
  const said = instructionOf(run) ?? exactInput(run);
  const text = typeof said === 'string' ? said : JSON.stringify(said);
  for (const [word] of text.matchAll(/\s*\S+/g)) {
    if (delayMs !== undefined) await sleep(delayMs, undefined, { signal });
    yield { kind: 'delta', text: word };
  }
  return { kind: 'succeeded', output: text };
}
