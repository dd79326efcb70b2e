import type { FinalRunResult, JsonValue, PluginContext, RunRequest } from '../../../src/contract/index.ts';
import { parseAgentJson } from '../../../src/run-kit/index.ts';
import { createMapping, type Mapped } from '../mapping.ts';
import { type Answer, type Ended, failed } from './answer.ts';
import type { Options } from './options.gen.ts';

/** Makes the result of a run of what came of its exchange. */
export type Conclude = (
  run: RunRequest,
  ended: Ended,
  memoryAfter: (answer: Answer) => JsonValue | undefined,
) => Promise<FinalRunResult>;

export function createConclusion(context: PluginContext, options: Options): Conclude {
  const { format, output } = options;
  const mapping = output === undefined ? undefined : createMapping(context, '/output', output, ['text', 'json']);

  const outputOf = async (answer: Answer, run: RunRequest): Promise<Mapped<JsonValue>> => {
    const { text, callsTool, whole } = answer;
    if (callsTool && mapping === undefined) return fault('the model called a tool, which the gateway does not run');
    const json = format === 'json' && !callsTool ? jsonOf(answer) : undefined;
    if (json?.ok === false) return json;
    if (mapping === undefined) return json ?? { ok: true, value: text };
    const mapped = await mapping.apply(whole ?? null, run, { text, ...(json !== undefined && { json: json.value }) });
    return mapped.ok ? { ok: true, value: mapped.value ?? null } : mapped;
  };

  return async (run, ended, memoryAfter) => {
    if (ended.kind === 'failed') return ended;
    const made = await outputOf(ended, run);
    const usage = ended.usage !== undefined && { usage: ended.usage };
    if (!made.ok) return { ...made.failure, ...usage };
    const memory = run.session === undefined ? undefined : memoryAfter(ended);
    return { kind: 'succeeded', output: made.value, ...(memory !== undefined && { memory }), ...usage };
  };
}

function jsonOf({ text, isRefusal }: Answer): Mapped<JsonValue> {
  if (isRefusal) return fault('the model refused to answer');
  const parsed = parseAgentJson(text);
  // A model does not answer the same way twice.
  return parsed.ok ? parsed : fault(`the model answered with ${parsed.fault}`, true);
}

function fault(message: string, retryable = false): Mapped<never> {
  return { ok: false, failure: failed(message, retryable) };
}
