import jsonata from 'jsonata';
import { toEvaluationError } from '../evaluation-error.ts';
import { reference } from '../library/reference.ts';
import { SeededRandom } from '../random.ts';
import { linearRegExpEngine } from './linear-regexp.ts';
import { Observer } from './observer.ts';
import { type Answer, type Job, maxAnswerLength } from './protocol.ts';
import { hasReservedMember } from './reserved-members.ts';

interface Parsed {
  readonly expression: jsonata.Expression;
  readonly observer?: Observer;
}

/** The size of the LRU cache of parsed expressions. */
const maxParsed = 64;
const parsed = new Map<string, Parsed>();
const RegexEngine = linearRegExpEngine();

/** Evaluates with the reference interpreter. Only for worker processes: it replaces the global clock and randomness. */
export async function interpret(job: Job): Promise<Answer> {
  const { wants, input, bindings, circumstances } = job;
  try {
    if (hasReservedMember(input) || hasReservedMember(bindings)) return { kind: 'error', code: 'D1013' };
    const { expression, observer } = parse(job);
    const observed = await observer?.begin(bindings);
    setCircumstances(circumstances.now, circumstances.seed);
    const evaluated: Promise<unknown> = expression.evaluate(input, { ...bindings });
    if (observed !== undefined)
      return {
        kind: 'value',
        value: await evaluated.then(
          () => observed,
          () => observed,
        ),
      };
    const value = await evaluated;
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

function parse({ source, limits, wants }: Job): Parsed {
  const { timeoutMs, maxDepth, maxSequence } = limits;
  const key = JSON.stringify([source, timeoutMs, maxDepth, maxSequence, typeof wants]);
  const known = parsed.get(key);
  parsed.delete(key);
  const guardrails: jsonata.JsonataOptions = { timeout: timeoutMs, stack: maxDepth, sequence: maxSequence };
  // Assigned, because its type requires all of RegExp, while the reference uses only `exec` and `lastIndex`.
  Object.assign(guardrails, { RegexEngine });
  const made = known ?? prepare(jsonata(source, guardrails), wants);
  parsed.set(key, made);
  for (const oldest of parsed.keys()) {
    if (parsed.size <= maxParsed) break;
    parsed.delete(oldest);
  }
  return made;
}

function prepare(expression: jsonata.Expression, wants: Job['wants']): Parsed {
  return typeof wants === 'string' ? { expression } : { expression, observer: new Observer(expression, wants) };
}

const SystemDate = Date;

/** The reference uses `new Date()` for $now() and $millis(), and Math.random() for $random() and $shuffle(). */
function setCircumstances(now: number, seed: number): void {
  const random = new SeededRandom(seed);
  Math.random = () => random.next();
  // A construct trap, so that Date.now(), which the reference uses for its timeout, keeps advancing.
  globalThis.Date = new Proxy(SystemDate, {
    construct: (target, args: []) => (args.length === 0 ? new target(now) : Reflect.construct(target, args)),
  });
}
