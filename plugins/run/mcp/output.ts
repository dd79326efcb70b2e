import type { CallToolResult } from '@modelcontextprotocol/client';
import type { FinalRunResult, JsonValue, PluginContext, RunRequest } from '../../../src/contract/index.ts';
import { AgentFault, createConclusion, failed, membersOf, parseAgentJson, parsed } from '../../../src/run-kit/index.ts';
import type { Options } from './options.gen.ts';

/** Returns a function that makes the result of a run from that of the tool. Throws an OptionsError. */
export function createOutput(
  context: PluginContext,
  { output }: Options,
): (result: CallToolResult, run: RunRequest) => Promise<FinalRunResult> {
  const conclude = createConclusion(context, output, ['json']);
  return async (result, run) => {
    // Its own words for the error may repeat the arguments.
    if (result.isError) return failed('the tool answered with an error');
    const whole = checkedOf(result);
    const json = jsonOf(result);
    return conclude(run, { output: outputOf(result, whole), whole, bindings: json === undefined ? {} : { json } });
  };
}

/** What the text holds, if there is one text and that is JSON: tools without structured content answer so. */
function jsonOf({ content }: CallToolResult): JsonValue | undefined {
  const [text, ...others] = content.filter((block) => block.type === 'text');
  if (text === undefined || others.length > 0) return undefined;
  const json = parseAgentJson(text.text);
  return json.ok ? json.value : undefined;
}

/** The structured content, or else the text as it is: JSON in it may be meant as text. */
function outputOf({ content, structuredContent }: CallToolResult, whole: JsonValue): JsonValue {
  if (structuredContent !== undefined) return membersOf(whole).structuredContent ?? null;
  const texts = content.flatMap((block) => (block.type === 'text' ? [block.text] : []));
  return texts.length === 0 ? null : texts.join('\n');
}

/** The SDK has parsed the result without the checks of `parseAgentJson`. */
function checkedOf(result: CallToolResult): JsonValue {
  try {
    return parsed(JSON.stringify(result));
  } catch (error) {
    if (error instanceof RangeError) throw new AgentFault(failed('agent answered with JSON nested too deep'));
    throw error;
  }
}
