import type { FinalRunResult, JsonValue, PluginContext, RunIdentity, RunRequest, RunUsage } from '../contract/index.ts';
import type { Bindings } from '../filter/index.ts';
import { createMapping } from './mapping.ts';
import type { UsageReader } from './usage.ts';

/** What an agent answered. */
export interface Answer {
  /** `succeeded` by default; `input_required` if the output is a question. */
  readonly kind?: 'succeeded' | 'input_required' | undefined;
  readonly output: JsonValue;
  /** What the expression of the option `output` is evaluated over; the output by default. */
  readonly whole?: JsonValue;
  /** Values of the additional bindings, by name. */
  readonly bindings?: Bindings;
  readonly usage?: RunUsage | undefined;
  /** What the session remembers from now on; undefined: what it did. */
  readonly memory?: JsonValue | undefined;
}

/** Returns the result that an answer to a run means. */
export type Conclude = (run: RunIdentity & Pick<RunRequest, 'session'>, answer: Answer) => Promise<FinalRunResult>;

/**
 * Returns a function that makes results of answers, mapped by the option `output`. The agent has answered and used tokens
 * even if the mapping fails: usage and memory stay. Throws an OptionsError.
 * @param bindings names of values that the expression may read in addition to `run` and `input`
 * @param reader finds the tokens in answers that come without `usage`
 */
export function createConclusion(
  context: PluginContext,
  output: string | undefined,
  bindings: readonly string[] = [],
  reader?: UsageReader | undefined,
): Conclude {
  const mapping = output === undefined ? undefined : createMapping(context, '/output', output, bindings);
  return async (run, { kind = 'succeeded', output: answered, whole = answered, usage, ...answer }) => {
    const memory = run.session === undefined ? undefined : answer.memory;
    const mapped = await mapping?.apply(whole, run, answer.bindings);
    // After the output, which needs what is left of the work more.
    const counted = usage ?? (await reader?.of(whole, run, answer.bindings));
    const kept = { ...(counted && { usage: counted }), ...(memory !== undefined && { memory }) };
    if (mapped === undefined) return { kind, output: answered, ...kept };
    return mapped.ok ? { kind, output: mapped.value ?? null, ...kept } : { ...mapped.failure, ...kept };
  };
}
