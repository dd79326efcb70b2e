import type { Evaluation } from '../evaluation.ts';
import { EvaluationError } from '../evaluation-error.ts';
import { RegularExpression } from '../regular-expression.ts';
import { createSequence, FunctionValue } from '../value.ts';
import { call } from './call.ts';
import { TextSearch } from './text-search.ts';

/** One match of a matcher, and the function that returns the next. */
interface Match {
  readonly match: string;
  readonly start: number;
  readonly end: number;
  readonly groups: readonly (string | undefined)[];
  readonly next: unknown;
}

export const matching = {
  contains(run: Evaluation, text: string | undefined, sought: string | FunctionValue | undefined) {
    if (text === undefined || sought === undefined) return undefined;
    if (typeof sought === 'string') return includes(run, text, sought);
    if (sought instanceof RegularExpression) return sought.test(run, text);
    return resultOf(run, sought, text) !== undefined;
  },
  match(run: Evaluation, text: string | undefined, matcher: unknown, limit = Infinity) {
    if (text === undefined) return undefined;
    if (limit < 0) throw new EvaluationError('D3040', { value: limit, index: 3 });
    const results = createSequence();
    forEachMatch(run, matcher, text, limit, ({ match, start, groups }) =>
      results.push({ match, index: start, groups }),
    );
    return results;
  },
  replace(
    run: Evaluation,
    text: string | undefined,
    pattern: string | FunctionValue,
    replacement: string | FunctionValue | undefined,
    limit = Infinity,
  ) {
    if (text === undefined) return undefined;
    if (pattern === '') throw new EvaluationError('D3010', { value: pattern, index: 2 });
    if (limit < 0) throw new EvaluationError('D3011', { value: limit, index: 4 });
    run.spendText(text.length);
    let result = '';
    let position = 0;
    const put = (start: number, end: number, substitute: string): void => {
      run.spendText(substitute.length + costOfSubstitution);
      result += text.slice(position, start) + substitute;
      position = end;
    };
    if (typeof pattern === 'string') {
      const search = new TextSearch(run, text, pattern);
      let count = 0;
      for (let at = search.next(0); at >= 0 && count < limit; at = search.next(position)) {
        put(at, at + pattern.length, String(replacement));
        count += 1;
      }
    } else {
      forEachMatch(run, pattern, text, limit, (match) => {
        const substitute =
          typeof replacement === 'string' ? expand(run, replacement, match) : call(run, replacement, [match], null);
        if (typeof substitute !== 'string') throw new EvaluationError('D3012', { value: substitute });
        put(match.start, match.start + match.match.length, substitute);
      });
    }
    return result + text.slice(position);
  },
  split(run: Evaluation, text: string | undefined, separator: string | FunctionValue | undefined, most?: number) {
    if (text === undefined) return undefined;
    const limit = most ?? Infinity;
    if (limit < 0) throw new EvaluationError('D3020', { value: limit, index: 3 });
    run.spendText(text.length);
    if (limit === 0) return [];
    if (typeof separator === 'string') {
      // As JavaScript's String.split interprets its limit: an infinite one is 0.
      return splitBy(run, text, separator, most === undefined ? Infinity : most >>> 0);
    }
    const parts: string[] = [];
    let start = 0;
    forEachMatch(run, separator, text, limit, (match) => {
      parts.push(text.slice(start, match.start));
      start = match.end;
    });
    if (parts.length < limit) parts.push(text.slice(start));
    return parts;
  },
};

/** Short texts need no search that is prepared for the worst. */
function includes(run: Evaluation, text: string, sought: string): boolean {
  if (text.length > 256 || sought.length > 8) return new TextSearch(run, text, sought).next(0) >= 0;
  run.spendText(text.length * 2);
  return text.includes(sought);
}

function splitBy(run: Evaluation, text: string, separator: string, limit: number): string[] {
  if (separator === '') {
    const length = Math.min(text.length, limit);
    run.spendSequence(length);
    return text.split('', length);
  }
  const search = new TextSearch(run, text, separator);
  const parts: string[] = [];
  let start = 0;
  for (let at = search.next(0); at >= 0 && parts.length < limit; at = search.next(start)) {
    run.checkSequence(parts.length + 1);
    run.spend(2);
    parts.push(text.slice(start, at));
    start = at + separator.length;
  }
  if (parts.length < limit) parts.push(text.slice(start));
  return parts;
}

/** The fixed cost of a substitution in addition to its length, in characters. */
const costOfSubstitution = 192;
/** What collecting a match costs in addition to finding it. */
const costOfMatch = 3;

function forEachMatch(run: Evaluation, matcher: unknown, text: string, limit: number, use: (match: Match) => void) {
  if (limit <= 0) return;
  let count = 0;
  for (let match = matchOf(run, matcher, text); match !== undefined; match = matchOf(run, match.next)) {
    if (count >= limit) return;
    run.spend(costOfMatch);
    use(match);
    count += 1;
  }
}

function matchOf(run: Evaluation, matcher: unknown, text?: string): Match | undefined {
  const result = resultOf(run, matcher, text);
  // Here the reference falls over a value such as false, which is neither a match nor nothing.
  if (result !== undefined && !result) throw new EvaluationError('T1010');
  return result as Match | undefined;
}

/** Calls a matcher, or the `next` of a match. It may be a function of the expression, so its result is checked. */
function resultOf(run: Evaluation, matcher: unknown, text?: string): unknown {
  const result = call(run, matcher, [text], null);
  if (!result) return result;
  const { start, end, groups, next } = result as Partial<Match>;
  if (typeof start === 'number' || typeof end === 'number' || Array.isArray(groups) || next instanceof FunctionValue) {
    return result;
  }
  throw new EvaluationError('T1010');
}

/** Expands `$0`, `$1` … and `$$` in a replacement. A group number takes as many digits as the number of groups allows. */
function expand(run: Evaluation, replacement: string, { match, groups }: Match): string {
  run.spendText(replacement.length);
  if (!replacement.includes('$')) return replacement;
  // A reference of two characters may stand for a text of a megabyte, and the groups of a matcher be longer than its match.
  const paid = (value: unknown): string => {
    // A matcher of the expression may return any group; writing an array would take as long as the array is.
    if (typeof value === 'object') throw new EvaluationError('T1010');
    const text = String(value);
    run.spendText(text.length);
    return text;
  };
  const maxDigits = groups.length === 0 ? 1 : Math.floor(Math.log10(groups.length)) + 1;
  return replacement.replace(/\$(\$|\d*)/g, (whole, reference: string) => {
    run.spendText(costOfSubstitution + reference.length);
    if (reference === '$') return '$';
    if (reference === '') return whole;
    if (reference.startsWith('0')) return paid(match) + reference.slice(1);
    let number = Number.parseInt(reference.slice(0, maxDigits), 10);
    if (maxDigits > 1 && number > groups.length) number = Number.parseInt(reference.slice(0, maxDigits - 1), 10);
    return paid(groups[number - 1] ?? '') + reference.slice(String(number).length);
  });
}
