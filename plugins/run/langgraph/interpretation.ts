import type {
  FailedRunResult,
  FinalRunResult,
  JsonObject,
  JsonValue,
  PluginContext,
  RunRequest,
  RunUsage,
} from '../../../src/contract/index.ts';
import { failed } from '../failed.ts';
import { createMapping } from '../mapping.ts';
import { textOf } from './events.ts';
import { objectOf } from './memory.ts';
import type { Options } from './options.gen.ts';

/** A result, and the ids of the interrupts that it is about. */
export interface Interpreted {
  readonly result: FinalRunResult;
  readonly asked?: readonly string[];
}

export type Interpretation = (state: JsonValue, run: RunRequest) => Promise<Interpreted>;

/** More interrupts than a graph can honestly have pending, and ids longer than they are, are not remembered. */
const bounds = { interrupts: 1_000, idLength: 128 };

/** Prepares what makes a result of the state in which a graph has ended. */
export function createInterpretation(context: PluginContext, options: Options): Interpretation {
  const output = options.output === undefined ? undefined : createMapping(context, '/output', options.output);
  return async (state, run) => {
    const { __error__: error, __interrupt__: interrupts } = objectOf(state);
    if (error !== undefined) return { result: graphFailure(error) };
    if (Array.isArray(interrupts)) return question(interrupts);
    const usage = usageOf(state);
    const succeeded = (value: JsonValue): Interpreted => ({
      result: { kind: 'succeeded', output: value, ...(usage && { usage }) },
    });
    if (output === undefined) return succeeded(lastAnswer(state) ?? state);
    const mapped = await output.apply(state, run);
    return mapped.ok ? succeeded(mapped.value ?? null) : { result: mapped.failure };
  };
}

/**
 * The failure of a graph, by the name of its error alone: messages of errors hold what the graph worked on. Most pass,
 * those of a model's provider for example; not so the ones by which a server tells that somebody has ended the run there.
 */
export function graphFailure(error: JsonValue | undefined): FailedRunResult {
  const { error: name } = objectOf(error);
  const isName = typeof name === 'string' && /^[A-Za-z_$][\w$.]{0,99}$/.test(name);
  const isEnded = name === 'UserInterrupt' || name === 'UserRollback';
  return failed(isName ? `the graph failed (${name})` : 'the graph failed', !isEnded);
}

/** Several questions are told with their ids, so that they can be answered apart. */
function question(interrupts: readonly JsonValue[]): Interpreted {
  const questions = interrupts.slice(0, bounds.interrupts).map(objectOf);
  const [first] = questions;
  const output = questions.length > 1 ? questions.map(({ id = null, value = null }) => ({ id, value })) : first?.value;
  const ids = questions.map(({ id }) => id);
  return {
    result: { kind: 'input_required', output: output ?? null },
    asked: ids.filter((id) => typeof id === 'string' && id.length <= bounds.idLength).map(String),
  };
}

/** What the last AI message says, in text if there is any in it; undefined without such a message. */
function lastAnswer(state: JsonValue): JsonValue | undefined {
  const message = messagesOf(state).findLast(isOfAi);
  if (message === undefined) return undefined;
  const text = textOf(message.content);
  return text === '' ? (message.content ?? null) : text;
}

/** The tokens of the AI messages since the user spoke last: the state holds those of earlier turns too. */
function usageOf(state: JsonValue): RunUsage | undefined {
  const messages = messagesOf(state);
  const turn = messages.slice(messages.findLastIndex(({ type }) => type === 'human') + 1);
  const used = turn.filter(isOfAi).map(({ usage_metadata: usage }) => objectOf(usage));
  const sumOf = (name: string): number =>
    used.reduce((sum, { [name]: count }) => sum + (Number.isSafeInteger(count) ? Math.max(0, Number(count)) : 0), 0);
  const usage = { inputTokens: sumOf('input_tokens'), outputTokens: sumOf('output_tokens') };
  return usage.inputTokens + usage.outputTokens > 0 ? usage : undefined;
}

function messagesOf(state: JsonValue): readonly JsonObject[] {
  const { messages } = objectOf(state);
  return Array.isArray(messages) ? messages.map(objectOf) : [];
}

/** `role` is that of graphs that keep messages as plain objects. */
function isOfAi({ type, role }: JsonObject): boolean {
  return type === 'ai' || type === 'AIMessageChunk' || role === 'assistant';
}
