import type { FailedRunResult, JsonValue } from '../../../src/contract/index.ts';
import { failed, idIn, membersOf, withDetail } from '../../../src/run-kit/index.ts';

/** What a graph asks, and the ids of its interrupts. */
export interface Question {
  readonly output: JsonValue;
  readonly asked: string[];
}

/** More interrupts than an honest graph can have pending are ignored. */
const maxInterrupts = 1_000;

/** Returns the question with which a graph ended. Several have their ids in the output, so that they can be answered one by one. */
export function questionIn(state: JsonValue): Question | undefined {
  const { __interrupt__: interrupts } = membersOf(state);
  if (!Array.isArray(interrupts)) return undefined;
  const questions = interrupts.slice(0, maxInterrupts).map(membersOf);
  const [first] = questions;
  const output = questions.length > 1 ? questions.map(({ id = null, value = null }) => ({ id, value })) : first?.value;
  return { output: output ?? null, asked: questions.flatMap(({ id }) => idIn(id) ?? []) };
}

/**
 * Returns the failure of a graph, by the name of its error alone: messages of errors may hold what the graph worked on, and are for operators only.
 * Most are transient, e.g. those of a model's provider, but not those that mean that somebody ended the run on the server.
 */
export function graphFailure(error: JsonValue | undefined): FailedRunResult {
  const { error: name } = membersOf(error);
  const isName = typeof name === 'string' && /^[A-Za-z_$][\w$.]{0,99}$/.test(name);
  const isEnded = name === 'UserInterrupt' || name === 'UserRollback';
  return withDetail(failed(isName ? `the graph failed (${name})` : 'the graph failed', !isEnded), error);
}
