import type { FinalRunResult, JsonValue, PluginContext, RunIdentity, RunUsage } from '../contract/index.ts';
import type { Bindings } from '../filter/index.ts';
import { createMapping } from './mapping.ts';
import { usageIn } from './usage-in.ts';

/** How many triggers are remembered for which the log has a warning already. */
const maxWarned = 1000;

/** Finds the tokens that an agent reports, by the option `usage`. */
export interface UsageReader {
  /** Returns the tokens that an answer reports. Never fails: without valid counts, the log has a warning once for each trigger. */
  of(answer: JsonValue, run: RunIdentity, bindings?: Bindings): Promise<RunUsage | undefined>;
  /** Returns a failure or a question with the tokens that its answer reports: they are billed all the same. */
  withUsage<Result extends FinalRunResult>(
    result: Result,
    answer: JsonValue,
    run: RunIdentity,
    bindings?: Bindings,
  ): Promise<Result>;
}

/**
 * Compiles the option `usage`: JSONata over the answer of the agent. Undefined without one. Throws an OptionsError.
 * @param bindings names of values that the expression may read in addition to `run` and `input`
 */
export function createUsageReader(
  context: PluginContext,
  source: string | undefined,
  bindings: readonly string[] = [],
): UsageReader | undefined {
  if (source === undefined) return undefined;
  const mapping = createMapping(context, '/usage', source, bindings);
  const warned = new Set<string>();
  const warn = ({ id, requestId, project, trigger }: RunIdentity, fault: string): void => {
    const of = `${project}/${trigger}`;
    if (warned.has(of) || warned.size >= maxWarned) return;
    warned.add(of);
    context.log.warn(
      { runId: id, requestId, project, trigger, fault },
      'the option usage found no token counts in an answer',
    );
  };
  return {
    async of(answer, run, values) {
      const mapped = await mapping.apply(answer, run, values);
      const usage = mapped.ok ? usageIn(mapped.value) : undefined;
      if (usage !== undefined) return usage;
      warn(run, mapped.ok ? faultOf(mapped.value) : mapped.failure.message);
      return undefined;
    },
    async withUsage(result, answer, run, values) {
      // An error seldom reports tokens, which is no reason for a warning.
      const mapped = await mapping.apply(answer, run, values);
      const usage = mapped.ok ? usageIn(mapped.value) : undefined;
      return usage === undefined ? result : { ...result, usage };
    },
  };
}

/** Without the value itself, which may be payload. */
function faultOf(value: JsonValue | undefined): string {
  return value === undefined ? 'the expression returned nothing' : 'the expression returned something else';
}
