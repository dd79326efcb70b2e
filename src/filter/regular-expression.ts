import { type Matcher, RE2JS } from 're2js';
import type { Evaluation } from './evaluation.ts';
import { EvaluationError } from './evaluation-error.ts';
import { FunctionValue } from './value.ts';

/** A regular expression that RE2 cannot take. */
export class UnusableRegExp extends Error {}

/** A literal of the expression. It is a function of a text, and matches in time linear in it. */
export class RegularExpression extends FunctionValue {
  readonly #pattern: RE2JS;
  readonly #source: string;

  /** Throws an UnusableRegExp if RE2 cannot express it. */
  constructor(regexp: RegExp) {
    super(2, (run, [text, from]) => this.#exec(run, String(text), typeof from === 'number' ? from : 0));
    this.#source = regexp.source;
    try {
      this.#pattern = RE2JS.compile(RE2JS.translateRegExp(regexp));
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'unknown reason';
      throw new UnusableRegExp(reason);
    }
  }

  test(run: Evaluation, text: string): boolean {
    run.spendText(text.length * 16);
    return this.#pattern.matcher(text).find();
  }

  #exec(run: Evaluation, text: string, from: number): object | undefined {
    run.spendText(text.length * 16);
    return this.#next(run, this.#pattern.matcher(text), text, from);
  }

  #next(run: Evaluation, matcher: Matcher, text: string, from: number): object | undefined {
    if (from > text.length || !matcher.find(from)) return undefined;
    const match = matcher.group(0) ?? '';
    const start = matcher.start();
    const end = matcher.end();
    run.spendText((end - from) * 16);
    const groups: (string | undefined)[] = [];
    for (let group = 1; group <= matcher.groupCount(); group += 1) groups.push(matcher.group(group) ?? undefined);
    const next = (): unknown => {
      if (end >= text.length) return undefined;
      const following = this.#next(run, matcher, text, end);
      if (following !== undefined && 'match' in following && following.match === '') {
        throw new EvaluationError('D1004', { value: this.#source });
      }
      return following;
    };
    return { match, start, end, groups, next: new FunctionValue(0, next) };
  }
}
