import type {
  FailedRunResult,
  FinalRunResult,
  JsonValue,
  PluginContext,
  RunRequest,
} from '../../../src/contract/index.ts';
import { createConclusion, failed, idIn, membersOf } from '../../../src/run-kit/index.ts';
import { lastAnswer, usageOf } from './messages.ts';

/** A result, and the ids of the interrupts if it is a question. */
export interface Interpreted {
  readonly result: FinalRunResult;
  readonly asked?: readonly string[];
}

export type Interpretation = (state: JsonValue, run: RunRequest) => Promise<Interpreted>;

/** More interrupts than an honest graph can have pending are ignored. */
const maxInterrupts = 1_000;

/** Returns a function that makes the result of the state in which a graph ended. */
export function createInterpretation(context: PluginContext, output: string | undefined): Interpretation {
  const conclude = createConclusion(context, output);
  return async (state, run) => {
    const { __error__: error, __interrupt__: interrupts } = membersOf(state);
    if (error !== undefined) return { result: graphFailure(error) };
    if (Array.isArray(interrupts)) return question(interrupts.slice(0, maxInterrupts));
    const answer = { output: lastAnswer(state) ?? state, whole: state, usage: usageOf(state) };
    return { result: await conclude(run, answer) };
  };
}

/**
 * Returns the failure of a graph, by the name of its error alone: messages of errors may hold what the graph worked on.
 * Most are transient, e.g. those of a model's provider, but not those that mean that somebody ended the run on the server.
 */
export function graphFailure(error: JsonValue | undefined): FailedRunResult {
  const { error: name } = membersOf(error);
  const isName = typeof name === 'string' && /^[A-Za-z_$][\w$.]{0,99}$/.test(name);
  const isEnded = name === 'UserInterrupt' || name === 'UserRollback';
  return failed(isName ? `the graph failed (${name})` : 'the graph failed', !isEnded);
}

/** Several questions have their ids in the output, so that they can be answered one by one. */
function question(interrupts: readonly JsonValue[]): Interpreted {
  const questions = interrupts.map(membersOf);
  const [first] = questions;
  const output = questions.length > 1 ? questions.map(({ id = null, value = null }) => ({ id, value })) : first?.value;
  const asked = questions.flatMap(({ id }) => idIn(id) ?? []);
  return { result: { kind: 'input_required', output: output ?? null }, asked };
}
