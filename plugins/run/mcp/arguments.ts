import type { JsonObject, JsonValue, PluginContext, RunRequest } from '../../../src/contract/index.ts';
import { createMapping, type Mapped } from '../mapping.ts';
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
  const mapping = createMapping(context, '/arguments', options.arguments);
  return async (run) => {
    const mapped = await mapping.apply(run.input, run);
    if (!mapped.ok) return mapped;
    if (isObject(mapped.value)) return { ok: true, value: mapped.value };
    const message = 'the expression of arguments came to something that is not an object';
    return { ok: false, failure: { kind: 'failed', message, retryable: false } };
  };
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
