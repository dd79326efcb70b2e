import { type AST, RegExpParser } from '@eslint-community/regexpp';

export interface Search {
  readonly matches: boolean;
  /** How many characters were compared. */
  readonly comparisons: number;
}

/**
 * Searches a text as a backtracking engine does that has no shortcuts, and counts what it compares: what such an engine
 * costs, measured without a clock. Knows sets of characters, groups, quantifiers, `^` and `$`.
 */
export function searchCounting(regexp: RegExp, text: string): Search {
  const { alternatives } = new RegExpParser().parsePattern(regexp.source, 0, undefined, { unicode: false });
  const matcher = new Matcher(regexp, text);
  for (let start = 0; start <= text.length; start += 1) {
    if (matcher.choose(alternatives, start, () => true)) return { matches: true, comparisons: matcher.comparisons };
  }
  return { matches: false, comparisons: matcher.comparisons };
}

/** Whether the rest of the expression matches from there on. */
type Rest = (at: number) => boolean;

class Matcher {
  comparisons = 0;
  readonly #text: string;
  readonly #flags: string;
  readonly #sets = new Map<string, RegExp>();

  constructor({ flags }: RegExp, text: string) {
    this.#text = text;
    this.#flags = flags;
  }

  choose(alternatives: readonly AST.Alternative[], at: number, rest: Rest): boolean {
    return alternatives.some(({ elements }) => this.#sequence(elements, 0, at, rest));
  }

  #sequence(elements: readonly AST.Element[], index: number, at: number, rest: Rest): boolean {
    const element = elements[index];
    if (element === undefined) return rest(at);
    return this.#element(element, at, (end) => this.#sequence(elements, index + 1, end, rest));
  }

  #element(element: AST.Element, at: number, rest: Rest): boolean {
    switch (element.type) {
      case 'Assertion':
        return element.kind === 'start' ? at === 0 && rest(at) : at === this.#text.length && rest(at);
      case 'Group':
      case 'CapturingGroup':
        return this.choose(element.alternatives, at, rest);
      case 'Quantifier':
        return isLoop(element) ? this.#loop(element, at, rest) : this.#repeat(element, 0, at, rest);
      default:
        return this.#takes(element, at) && rest(at + 1);
    }
  }

  /** One set of characters again and again: without recursion, since a text is longer than the stack is deep. */
  #loop({ element, min, max, greedy }: AST.Quantifier, at: number, rest: Rest): boolean {
    const takesMore = (count: number) => count < max && this.#takes(element, at + count);
    let count = 0;
    while (count < min) {
      if (!takesMore(count)) return false;
      count += 1;
    }
    if (!greedy) {
      for (; !rest(at + count); count += 1) if (!takesMore(count)) return false;
      return true;
    }
    while (takesMore(count)) count += 1;
    for (; count >= min; count -= 1) if (rest(at + count)) return true;
    return false;
  }

  #repeat(quantifier: AST.Quantifier, count: number, at: number, rest: Rest): boolean {
    const { element, min, max, greedy } = quantifier;
    const goOn = () =>
      count < max && this.#element(element, at, (end) => this.#repeat(quantifier, count + 1, end, rest));
    if (count < min) return goOn();
    return greedy ? goOn() || rest(at) : rest(at) || goOn();
  }

  #takes(element: AST.Element, at: number): boolean {
    this.comparisons += 1;
    const set = this.#sets.get(element.raw) ?? new RegExp(`^(?:${element.raw})$`, this.#flags);
    this.#sets.set(element.raw, set);
    return at < this.#text.length && set.test(this.#text.charAt(at));
  }
}

function isLoop({ element }: AST.Quantifier): boolean {
  return element.type === 'Character' || element.type === 'CharacterSet' || element.type === 'CharacterClass';
}
