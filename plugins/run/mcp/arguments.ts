import type { JsonObject, PluginContext, RunRequest } from '../../../src/contract/index.ts';
import { createObjectMapping, type Mapped } from '../mapping.ts';
import type { Options } from './options.gen.ts';

/** Makes what makes the arguments of the tool of a run, as the options say. */
export function createArguments(
  context: PluginContext,
  options: Options,
): (run: RunRequest) => Promise<Mapped<JsonObject>> {
  if (options.arguments === undefined) {
    // What the gateway itself adds or acts on is no part of what a tool is asked for, and a strict one would refuse it.
    return async ({ input: { environment: _, language: __, sessionId: ___, ...rest } }) => ({ ok: true, value: rest });
  }
  const mapping = createObjectMapping(context, '/arguments', options.arguments);
  return async (run) => mapping.apply(run.input, run);
}
