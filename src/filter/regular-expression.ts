import { RE2JS } from 're2js';
import type { Evaluation } from './evaluation.ts';
import { EvaluationError } from './evaluation-error.ts';
import { type LinearCost, linearCostOf, looksAhead } from './linear.ts';
import { FunctionValue } from './value.ts';

/** A regular expression that RE2 cannot take. */
export class UnusableRegExp extends Error {}

/** Where an engine found a match: the whole of it, and its groups. */
interface Found {
  readonly start: number;
  readonly match: string;
  readonly groups: (string | undefined)[];
}

/** Something that matches in time linear in the text. */
interface Engine {
  /** What looking at one character costs, in characters of text that are only read. */
  readonly cost: number;
  /** Whether it may look at text far behind where its match ends. */
  readonly looksAhead: boolean;
  test(text: string): boolean;
  /** Finds the first match at or after `from`. */
  find(text: string, from: number): Found | undefined;
}

const known = new WeakMap<RegExp, RegularExpression>();

/** The one of a literal: RE2 takes some milliseconds for each, and parsing, compiling and observing ask for it. */
export function regularExpressionOf(literal: RegExp): RegularExpression {
  const made = known.get(literal) ?? new RegularExpression(literal);
  known.set(literal, made);
  return made;
}

/** A literal of the expression. It is a function of a text, and matches in time linear in it. */
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

  /** How far it looked does not show in the match. So each search has to be affordable, and is paid by its time. */
  #findAhead(run: Evaluation, text: string, from: number): Found | undefined {
    run.afford(((text.length - from) * this.#engine.cost) / 64);
    const startedAt = performance.now();
    const found = this.#engine.find(text, from);
    run.spendTime(performance.now() - startedAt);
    return found;
  }

  /** What the reference gives for a match, which leads to the next one. */
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

/** Where a match may begin, if an expression says it. */
function indexOf(from: unknown): number {
  return typeof from === 'number' ? Math.max(0, Math.trunc(from) || 0) : 0;
}

/** V8's own engine, for what it matches without giving much back. */
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

/** RE2, for everything else. */
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
