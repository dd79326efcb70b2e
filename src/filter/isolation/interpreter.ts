import jsonata from 'jsonata';
import { toEvaluationError } from '../evaluation-error.ts';
import { reference } from '../library/reference.ts';
import { SeededRandom } from '../random.ts';
import { linearRegExpEngine } from './linear-regexp.ts';
import { type Answer, type Job, maxAnswerLength } from './protocol.ts';
import { hasReservedMember } from './reserved-members.ts';

/** More parsed expressions than these are forgotten, least lately used first. */
const maxParsed = 64;
const parsed = new Map<string, jsonata.Expression>();
const RegexEngine = linearRegExpEngine();

/** Evaluates with the reference interpreter. For a process of its own: it changes what the time and chance are there. */
export async function interpret(job: Job): Promise<Answer> {
  const { wants, input, bindings, circumstances } = job;
  try {
    if (hasReservedMember(input) || hasReservedMember(bindings)) return { kind: 'error', code: 'D1013' };
    const expression = expressionOf(job);
    setCircumstances(circumstances.now, circumstances.seed);
    const value: unknown = await expression.evaluate(input, { ...bindings });
    if (wants === 'boolean') return { kind: 'value', value: reference.boolean.call(value) === true };
    return answerOf(value);
  } catch (error) {
    const { code, position, token } = toEvaluationError(error);
    return { kind: 'error', code, ...(position !== undefined && { position }), ...(token !== undefined && { token }) };
  }
}

function answerOf(value: unknown): Answer {
  const text = JSON.stringify(value, (_name, member: unknown) => (isFunction(member) ? '' : member));
  if (text === undefined) return { kind: 'value' };
  if (text.length > maxAnswerLength) return { kind: 'error', code: 'D2015' };
  return { kind: 'value', value: JSON.parse(text) };
}

function isFunction(value: unknown): boolean {
  if (typeof value === 'function') return true;
  return typeof value === 'object' && value !== null && ('_jsonata_function' in value || '_jsonata_lambda' in value);
}

function expressionOf({ source, limits }: Job): jsonata.Expression {
  const { timeoutMs, maxDepth, maxSequence } = limits;
  const key = JSON.stringify([source, timeoutMs, maxDepth, maxSequence]);
  const known = parsed.get(key);
  parsed.delete(key);
  const guardrails: jsonata.JsonataOptions = { timeout: timeoutMs, stack: maxDepth, sequence: maxSequence };
  // Assigned, because its type asks for all of RegExp, of which the reference uses `exec` and `lastIndex`.
  Object.assign(guardrails, { RegexEngine });
  const expression = known ?? jsonata(source, guardrails);
  parsed.set(key, expression);
  for (const oldest of parsed.keys()) {
    if (parsed.size <= maxParsed) break;
    parsed.delete(oldest);
  }
  return expression;
}

const SystemDate = Date;

/** The reference asks `new Date()` for the time of $now() and $millis(), and Math.random() for chance. */
function setCircumstances(now: number, seed: number): void {
  const random = new SeededRandom(seed);
  Math.random = () => random.next();
  // A construct trap, so that Date.now(), by which the reference knows its timeout, goes on.
  globalThis.Date = new Proxy(SystemDate, {
    construct: (target, args: []) => (args.length === 0 ? new target(now) : Reflect.construct(target, args)),
  });
}
