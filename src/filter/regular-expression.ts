import { RE2JS } from 're2js';
import type { Evaluation } from './evaluation.ts';
import { EvaluationError } from './evaluation-error.ts';
import { type LinearCost, linearCostOf, looksAhead } from './linear.ts';
import { FunctionValue } from './value.ts';

/** A regular expression that RE2 does not support. */
export class UnusableRegExp extends Error {}

/** A match that an engine found: its range and groups. */
interface Found {
  readonly start: number;
  readonly match: string;
  readonly groups: (string | undefined)[];
}

/** A regular expression engine that matches in linear time. */
interface Engine {
  /** The cost of matching one character, relative to reading one. */
  readonly cost: number;
  /** Whether it may read text far past the end of its match. */
  readonly looksAhead: boolean;
  test(text: string): boolean;
  /** Finds the first match at or after `from`. */
  find(text: string, from: number): Found | undefined;
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
    run.spendText(text.length * this.#engine.cost);
    return this.#engine.test(text);
  }

  /** The match does not reveal how far the engine read. So each search must be affordable and is charged by duration. */
  #findAhead(run: Evaluation, text: string, from: number): Found | undefined {
    run.afford(((text.length - from) * this.#engine.cost) / 64);
    const startedAt = performance.now();
    const found = this.#engine.find(text, from);
    run.spendTime(performance.now() - startedAt);
    return found;
  }

  /** The match object of the reference, whose `next` returns the next match. */
  #find(run: Evaluation, text: string, from: number): object | undefined {
    if (from > text.length) return undefined;
    const { cost, looksAhead } = this.#engine;
    const found = looksAhead ? this.#findAhead(run, text, from) : this.#engine.find(text, from);
    if (found === undefined) {
      if (!looksAhead) run.spendText((text.length - from) * cost);
      return undefined;
    }
    if (!looksAhead) run.spendText((found.start + found.match.length - from) * cost);
    const { match, start, groups } = found;
    const end = start + match.length;
    const next = (): unknown => {
      if (end >= text.length) return undefined;
      const following = this.#find(run, text, end);
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

/** V8's backtracking engine, for patterns that it provably matches in linear time. */
class NativeEngine implements Engine {
  readonly cost: number;
  readonly looksAhead: boolean;
  readonly #tester: RegExp;
  readonly #finder: RegExp;

  constructor({ source, flags }: RegExp, { work, looksAhead }: LinearCost) {
    this.cost = 2 * work;
    this.looksAhead = looksAhead;
    this.#tester = new RegExp(source, flags.replace('g', ''));
    this.#finder = new RegExp(source, flags.includes('g') ? flags : `${flags}g`);
  }

  test(text: string): boolean {
    return this.#tester.test(text);
  }

  find(text: string, from: number): Found | undefined {
    this.#finder.lastIndex = from;
    const found = this.#finder.exec(text);
    return found === null ? undefined : { start: found.index, match: found[0], groups: found.slice(1) };
  }
}

/** RE2, linear-time for every pattern. */
class LinearEngine implements Engine {
  readonly cost: number;
  readonly looksAhead: boolean;
  readonly #pattern: RE2JS;

  constructor(regexp: RegExp) {
    try {
      this.#pattern = RE2JS.compile(RE2JS.translateRegExp(regexp));
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'unknown reason';
      throw new UnusableRegExp(reason);
    }
    this.cost = 64 + 8 * this.#pattern.programSize();
    this.looksAhead = looksAhead(regexp);
  }

  test(text: string): boolean {
    return this.#pattern.matcher(text).find();
  }

  find(text: string, from: number): Found | undefined {
    const matcher = this.#pattern.matcher(text);
    if (!matcher.find(from)) return undefined;
    const groups: (string | undefined)[] = [];
    for (let group = 1; group <= matcher.groupCount(); group += 1) groups.push(matcher.group(group) ?? undefined);
    return { start: matcher.start(), match: matcher.group(0) ?? '', groups };
  }
}
