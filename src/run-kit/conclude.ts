import type { FinalRunResult, JsonValue, PluginContext, RunRequest, RunUsage } from '../contract/index.ts';
import { createMapping } from './mapping.ts';

export interface Answer {
  readonly output: JsonValue;
  /** What the expression of `output` is given; by default the output. */
  readonly whole?: JsonValue;
  readonly usage?: RunUsage | undefined;
  /** What the session remembers from now on; undefined: what it did. */
  readonly memory?: JsonValue | undefined;
}

/** Makes results of answers, mapped by the option `output`. Tokens and memory stay, even if the mapping fails. */
export function createConclusion(context: PluginContext, output: string | undefined) {
  const mapping = output === undefined ? undefined : createMapping(context, '/output', output);
  return async (run: RunRequest, answer: Answer): Promise<FinalRunResult> => {
    const { usage } = answer;
    const memory = run.session === undefined ? undefined : answer.memory;
    const kept = { ...(usage && { usage }), ...(memory !== undefined && { memory }) };
    const mapped = await mapping?.apply(answer.whole ?? answer.output, run);
    if (mapped === undefined) return { kind: 'succeeded', output: answer.output, ...kept };
    return mapped.ok ? { kind: 'succeeded', output: mapped.value ?? null, ...kept } : { ...mapped.failure, ...kept };
  };
}
