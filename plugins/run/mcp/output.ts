import type { FinalRunResult, JsonObject, JsonValue, PluginContext, RunRequest } from '../../../src/contract/index.ts';
import type { Bindings } from '../../../src/filter/index.ts';
import {
  checked,
  createConclusion,
  createUsageReader,
  failed,
  parseAgentJson,
  withDetail,
} from '../../../src/run-kit/index.ts';
import { notMcp, objectOf } from './message.ts';
import type { Options } from './options.gen.ts';

/** Returns a function that makes the result of a run from that of the tool. Throws an OptionsError. */
export function createOutput(
  context: PluginContext,
  { output, usage }: Options,
): (result: JsonObject, run: RunRequest) => Promise<FinalRunResult> {
  const reader = createUsageReader(context, usage, ['json']);
  const conclude = createConclusion(context, output, ['json'], reader);
  return async (result, run) => {
    if (result.isError) {
      // Its own words for the error may repeat the arguments: they are for operators only.
      const failure = withDetail(failed('the tool answered with an error'), result.content);
      return reader === undefined
        ? failure
        : reader.withUsage(failure, checked(result), run, bindingsOf(textsIn(contentOf(result))));
    }
    const whole = { ...result, content: contentOf(result) };
    const texts = textsIn(whole.content);
    if (output === undefined && result.content === undefined && structuredIn(result) === undefined) throw notMcp();
    return conclude(run, {
      output: structuredIn(result) ?? unstructured(whole.content, texts),
      whole: checked(whole),
      bindings: bindingsOf(texts),
    });
  };
}

function bindingsOf(texts: readonly string[]): Bindings {
  const json = jsonOf(texts);
  return json === undefined ? {} : { json };
}

/** Its name in the revision 2024-10-07 was another one. */
function structuredIn({ structuredContent, toolResult }: JsonObject): JsonValue | undefined {
  return structuredContent ?? toolResult ?? undefined;
}

/** What has no text, e.g. a picture, is the content as it is. JSON in a text may be meant as text. */
function unstructured(content: readonly JsonObject[], texts: readonly string[]): JsonValue {
  if (texts.length > 0) return texts.join('\n');
  return content.length === 0 ? null : content;
}

function contentOf({ content = [] }: JsonObject): readonly JsonObject[] {
  if (!Array.isArray(content)) throw notMcp();
  return content.map(objectOf);
}

function textsIn(content: readonly JsonObject[]): readonly string[] {
  return content
    .filter(({ type }) => type === 'text')
    .map(({ text }) => {
      if (typeof text !== 'string') throw notMcp();
      return text;
    });
}

/** What the text holds, if there is one text and that is JSON: tools without structured content answer so. */
function jsonOf([text, ...others]: readonly string[]): JsonValue | undefined {
  if (text === undefined || others.length > 0) return undefined;
  const json = parseAgentJson(text);
  return json.ok ? json.value : undefined;
}
