import type { Evaluation } from './evaluation.ts';
import { EvaluationError } from './evaluation-error.ts';
import type { Engine } from './regexp/engine.ts';
import { engineOf } from './regexp/engine-of.ts';
import { FunctionValue } from './value.ts';

const known = new WeakMap<RegExp, RegularExpression>();

/** Cached per literal: parsing, compiling and observing all need it. */
export function regularExpressionOf(literal: RegExp): RegularExpression {
  const made = known.get(literal) ?? new RegularExpression(literal);
  known.set(literal, made);
  return made;
}

/** A regular expression literal: a function of a string that matches in linear time. */
export class RegularExpression extends FunctionValue {
  readonly #engine: Engine;
  readonly #source: string;

  /** Throws an UnusableRegExp if it cannot be matched in linear time. */
  constructor(regexp: RegExp) {
    super(2, (run, [text, from]) => this.#find(run, String(text), indexOf(from)));
    this.#source = regexp.source;
    this.#engine = engineOf(regexp);
  }

  test(run: Evaluation, text: string): boolean {
    return this.#engine.test(run, text);
  }

  /** The match object of the reference, whose `next` returns the next match. */
  #find(run: Evaluation, text: string, from: number, isNext = false): object | undefined {
    if (from > text.length) return undefined;
    const found = this.#engine.find(run, text, from, isNext);
    if (found === undefined) return undefined;
    const { match, start, groups } = found;
    const end = start + match.length;
    let isFirst = true;
    const next = (): unknown => {
      if (end >= text.length) return undefined;
      const following = this.#find(run, text, end, isFirst);
      isFirst = false;
      if (following !== undefined && 'match' in following && following.match === '') {
        throw new EvaluationError('D1004', { value: this.#source });
      }
      return following;
    };
    return { match, start, end, groups, next: new FunctionValue(0, next) };
  }
}

/** The start index of a search, if the expression passes one. */
function indexOf(from: unknown): number {
  return typeof from === 'number' ? Math.max(0, Math.trunc(from) || 0) : 0;
}
