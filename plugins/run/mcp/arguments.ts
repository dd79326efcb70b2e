import type { JsonObject, PluginContext, RunRequest } from '../../../src/contract/index.ts';
import { createObjectMapping, type Mapped } from '../../../src/run-kit/index.ts';
import type { Options } from './options.gen.ts';

/** Returns a function that makes the arguments of the tool for a run. Throws an OptionsError. */
export function createArguments(
  context: PluginContext,
  options: Options,
): (run: RunRequest) => Promise<Mapped<JsonObject>> {
  if (options.arguments === undefined) {
    // A strict tool would refuse the members that the gateway adds or acts on.
    return async ({ input: { environment: _, language: __, sessionId: ___, ...rest } }) => ({ ok: true, value: rest });
  }
  const mapping = createObjectMapping(context, '/arguments', options.arguments);
  return async (run) => mapping.apply(run.input, run);
}
