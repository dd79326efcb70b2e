import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import jsonata from 'jsonata';
import { compileFilter, ExpressionError } from '../../../src/filter/index.ts';
import { bodies, expressions } from './random-expressions.ts';

const now = 1_750_000_000_000;

/** Compares compiled expressions with the reference on random pairs; throws with one that differs. */
export async function compareWithReference(
  pairs: number,
  seed: number,
  onPair: (done: number) => void = () => {},
): Promise<{ compiled: number }> {
  let compiled = 0;
  await fc.assert(
    fc.asyncProperty(expressions, bodies, async (expression, body) => {
      const ours = await oursOf(expression, body);
      fc.pre(ours !== undefined);
      compiled += 1;
      if (isFormattedInfinity(expression, ours)) return;
      const before = JSON.stringify(body);
      const theirs = await theirsOf(expression, body);
      // Grouping nothing, the reference puts an undefined into the input, and gives it back with it.
      const hasChangedInput = JSON.stringify(body) !== before;
      if (!isDeepStrictEqual(ours, theirs) && !isCrash(theirs) && !isGuarded(ours) && !hasChangedInput) {
        throw new Error(`compiled ${JSON.stringify(ours)}, the reference ${JSON.stringify(theirs)}`);
      }
      onPair(compiled);
    }),
    // Without shrinking, which may take longer than all pairs.
    { numRuns: pairs, seed, maxSkipsPerRun: 1000, endOnFailure: true },
  );
  return { compiled };
}

/** The reference has a few places where it falls over its own undefined values. */
function isCrash(outcome: object): boolean {
  return 'code' in outcome && String(outcome.code).startsWith('TypeError');
}

/** What is refused whatever the limits: pictures and paddings longer than anybody means. */
function isGuarded(outcome: object): boolean {
  return 'code' in outcome && outcome.code === 'D2015';
}

/**
 * Formatting an infinite number is refused, once its picture is known to be good: the reference writes "In,fin,ity" or
 * "0NaN-NaN-NaNT…" with some, and never ends with others.
 */
function isFormattedInfinity(expression: string, outcome: object): boolean {
  return (
    'code' in outcome && outcome.code === 'D1001' && /\$(?:formatNumber|formatInteger|fromMillis)\b/.test(expression)
  );
}

/** Undefined for what does not parse or compile. */
async function oursOf(expression: string, body: unknown): Promise<object | undefined> {
  try {
    const filter = compileFilter(expression, { limits: { maxSteps: 1e8, maxSequence: 1e7 } });
    if (filter.mode === 'compiled') return await outcomeOf(() => filter.evaluate(body, {}, { now, seed: 1 }));
    await filter.close();
    return undefined;
  } catch (error) {
    if (error instanceof ExpressionError) return undefined;
    throw error;
  }
}

function theirsOf(expression: string, body: unknown): Promise<object> {
  const reference = jsonata(expression);
  return outcomeOf(() => reference.evaluate(body, { now: clock }));
}

const formatted = jsonata('$fromMillis($at, $picture, $zone)');

/** The reference's `$now`, at a fixed time. */
function clock(picture?: string, zone?: string): Promise<string> {
  return formatted.evaluate({}, { at: now, picture, zone });
}

/** The value as JSON, or the code of the error. */
async function outcomeOf(evaluate: () => unknown): Promise<object> {
  try {
    const value = await evaluate();
    return { value: JSON.stringify(value, (_name, member: unknown) => (isFunction(member) ? 'function' : member)) };
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : String(error);
    return { code };
  }
}

function isFunction(value: unknown): boolean {
  if (typeof value === 'function') return true;
  if (typeof value !== 'object' || value === null) return false;
  return 'invoke' in value || '_jsonata_function' in value || '_jsonata_lambda' in value;
}
