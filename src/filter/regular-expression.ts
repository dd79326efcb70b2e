import { type Matcher, MatcherInput, RE2JS } from 're2js';
import type { Evaluation } from './evaluation.ts';
import { EvaluationError } from './evaluation-error.ts';
import { type LinearCost, linearCostOf } from './linear.ts';
import { MeteredText } from './metered-text.ts';
import { FunctionValue } from './value.ts';

/** A regular expression that RE2 does not support. */
export class UnusableRegExp extends Error {}

/** A match that an engine found: its range and groups. */
interface Found {
  readonly start: number;
  readonly match: string;
  readonly groups: (string | undefined)[];
}

/** A regular expression engine that matches in linear time, and pays for each search before it reads the text. */
interface Engine {
  test(run: Evaluation, text: string): boolean;
  /**
   * Finds the first match at or after `from`.
   * @param isNext whether it is the first search that continues from the end of a match
   */
  find(run: Evaluation, text: string, from: number, isNext: boolean): Found | undefined;
}

const known = new WeakMap<RegExp, RegularExpression>();

/** Cached per literal: RE2 takes some milliseconds to compile one, and parsing, compiling and observing all need it. */
export function regularExpressionOf(literal: RegExp): RegularExpression {
  const made = known.get(literal) ?? new RegularExpression(literal);
  known.set(literal, made);
  return made;
}

/** A regular expression literal: a function of a string that matches in linear time. */
export class RegularExpression extends FunctionValue {
  readonly #engine: Engine;
  readonly #source: string;

  /** Throws an UnusableRegExp if RE2 cannot express it. */
  constructor(regexp: RegExp) {
    super(2, (run, [text, from]) => this.#find(run, String(text), indexOf(from)));
    this.#source = regexp.source;
    const linear = new LinearEngine(regexp);
    const cost = linearCostOf(regexp);
    this.#engine = cost === undefined ? linear : new NativeEngine(regexp, cost);
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

/** What building a match costs, and each of its groups. */
const costOfMatch = 12;
const costOfGroup = 2;

/** V8's backtracking engine, for patterns that it provably matches in linear time. */
class NativeEngine implements Engine {
  /** Units per character. */
  readonly #price: number;
  readonly #costOfMatch: number;
  readonly #tester: RegExp;
  readonly #finder: RegExp;

  constructor({ source, flags }: RegExp, { work }: LinearCost) {
    this.#price = work / 32;
    this.#tester = new RegExp(source, flags.replace('g', ''));
    this.#finder = new RegExp(source, flags.includes('g') ? flags : `${flags}g`);
    this.#costOfMatch = costOfMatch + costOfGroup * groupsOf(source);
  }

  test(run: Evaluation, text: string): boolean {
    run.spend(text.length * this.#price + 1);
    return this.#tester.test(text);
  }

  /**
   * All searches that continue from match to match are paid by the first: each place of the text is tried once as the
   * start of a match by all of them together, and the price bounds the sum of what these tries compare, wherever they end.
   */
  find(run: Evaluation, text: string, from: number, isNext: boolean): Found | undefined {
    run.spend(this.#costOfMatch + (isNext ? 0 : (text.length - from) * this.#price));
    this.#finder.lastIndex = from;
    const found = this.#finder.exec(text);
    return found === null ? undefined : { start: found.index, match: found[0], groups: found.slice(1) };
  }
}

function groupsOf(source: string): number {
  return (new RegExp(`${source}|`).exec('')?.length ?? 1) - 1;
}

/** RE2, linear-time for every pattern. */
class LinearEngine implements Engine {
  /** Units per character: each may be compared with all instructions of the program. */
  readonly #price: number;
  readonly #size: number;
  readonly #pattern: RE2JS;

  constructor(regexp: RegExp) {
    try {
      this.#pattern = RE2JS.compile(RE2JS.translateRegExp(regexp));
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'unknown reason';
      throw new UnusableRegExp(reason);
    }
    this.#size = this.#pattern.programSize();
    this.#price = 1 + this.#size / 2;
  }

  test(run: Evaluation, text: string): boolean {
    return this.#matcher(run, text, new MeteredText(run, text, 0, this.#price)).find();
  }

  find(run: Evaluation, text: string, from: number): Found | undefined {
    const metered = new MeteredText(run, text, from, this.#price);
    const matcher = this.#matcher(run, text, metered);
    if (!matcher.find(from)) return undefined;
    const groups: (string | undefined)[] = [];
    // For its groups, RE2 matches a second time.
    metered.rewind(matcher.start());
    for (let group = 1; group <= matcher.groupCount(); group += 1) groups.push(matcher.group(group) ?? undefined);
    return { start: matcher.start(), match: matcher.group(0) ?? '', groups };
  }

  #matcher(run: Evaluation, text: string, metered: MeteredText): Matcher {
    run.spend(costOfMatch + (costOfGroup + 1) * this.#pattern.groupCount() + this.#costOfVisits(text));
    return this.#pattern.matcher(MatcherInput.utf16(metered));
  }

  /** For a short text, RE2 first clears a bit for each instruction at each character. */
  #costOfVisits({ length }: string): number {
    const bits = this.#size * (length + 1);
    return bits <= mostVisits ? bits / 4096 : 0;
  }
}

/** The bits of RE2's backtracking engine; for more it uses another. */
const mostVisits = 262_144;
