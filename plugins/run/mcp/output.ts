import type { CallToolResult } from '@modelcontextprotocol/client';
import type { FinalRunResult, JsonValue, PluginContext, RunRequest } from '../../../src/contract/index.ts';
import { parseAgentJson } from '../../../src/run-kit/index.ts';
import { failed } from '../failed.ts';
import { createMapping } from '../mapping.ts';
import type { Options } from './options.gen.ts';

/** Makes what makes a run's result of a tool's, as the options say. */
export function createOutput(
  context: PluginContext,
  { output }: Options,
): (result: CallToolResult, run: RunRequest) => Promise<FinalRunResult> {
  const mapping = output === undefined ? undefined : createMapping(context, '/output', output, ['json']);
  return async (result, run) => {
    // What the tool says of it may hold what it was called with.
    if (result.isError) return failed('the tool answered with an error');
    const plain = plainOf(result);
    if (!plain.ok) return failed(`agent answered with ${plain.fault}`);
    if (mapping === undefined) return { kind: 'succeeded', output: outputOf(result, plain.value) };
    const json = jsonOf(result);
    const mapped = await mapping.apply(plain.value, run, { ...(json !== undefined && { json }) });
    return mapped.ok ? { kind: 'succeeded', output: mapped.value ?? null } : mapped.failure;
  };
}

/** What the text holds, if it is one and that is JSON: so tools answer that know no structured content. */
function jsonOf({ content }: CallToolResult): JsonValue | undefined {
  const [text, ...others] = content.filter((block) => block.type === 'text');
  if (text === undefined || others.length > 0) return undefined;
  const parsed = parseAgentJson(text.text);
  return parsed.ok ? parsed.value : undefined;
}

/** A structured result, else the text as it is: what looks like JSON in it may be meant as text. */
function outputOf({ content, structuredContent }: CallToolResult, plain: JsonValue): JsonValue {
  if (structuredContent !== undefined) return Object(plain).structuredContent;
  const texts = content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  return texts.length === 0 ? null : texts.join('\n');
}

/** The SDK parses what a server sends, and does not look at its depth. */
function plainOf(result: CallToolResult): ReturnType<typeof parseAgentJson> {
  try {
    return parseAgentJson(JSON.stringify(result));
  } catch (error) {
    if (error instanceof RangeError) return { ok: false, fault: 'JSON nested too deep' };
    throw error;
  }
}
