import { type AST, RegExpParser, visitRegExpAST } from '@eslint-community/regexpp';
import { type CodeUnits, codeUnitsOf, isUnitElement, type PatternFlags } from './code-units.ts';
import { UnusableRegExp } from './unusable-regexp.ts';

/** Instructions; all but the jumps continue with the next. `x` and `y` are their operands. */
export const op = {
  /** Matches one code unit of the set `x`. */
  unit: 0,
  /** Continues at `x`, and with lower priority at `y`. */
  split: 1,
  jump: 2,
  /** Stores the position in slot `x`: that of group n are 2n and 2n + 1. */
  save: 3,
  /** Clears the slots from `x` to before `y`: each repetition forgets the groups of the one before. */
  clear: 4,
  /** Continues if the assertion `x` holds. */
  assert: 5,
  /** Starts an optional repetition, nested `x` deep, of what may be empty. */
  begin: 6,
  /** Continues if the repetition matched anything: JavaScript rejects an empty one. */
  check: 7,
  match: 8,
} as const;

export const assertion = { textStart: 0, textEnd: 1, lineStart: 2, lineEnd: 3, boundary: 4, noBoundary: 5 } as const;

/** A regular expression as instructions for the `Machine`. */
export interface Program {
  readonly ops: Uint8Array;
  readonly xs: Int32Array;
  readonly ys: Int32Array;
  readonly sets: readonly CodeUnits[];
  /** The number of capturing groups. */
  readonly groups: number;
  /** How deep optional repetitions of what may be empty are nested. */
  readonly depth: number;
}

/** Repetitions are unrolled; more instructions than this make a search slower than any limit of work allows. */
const mostInstructions = 10_000;
/** As in RE2. */
const mostRepetitions = 1000;
const mostSlots = 1_000_000;

export function parsePattern({ source, flags }: RegExp): {
  readonly pattern: AST.Pattern;
  readonly flags: PatternFlags;
} {
  return {
    pattern: new RegExpParser().parsePattern(source, 0, undefined, { unicode: false }),
    flags: { ignoreCase: flags.includes('i'), multiline: flags.includes('m'), dotAll: flags.includes('s') },
  };
}

/** Throws an UnusableRegExp for look-around, back references, and what is too large. */
export function programOf(pattern: AST.Pattern, flags: PatternFlags): Program {
  const size = sizeOfAny(pattern.alternatives);
  if (size > mostInstructions) throw new UnusableRegExp('it is too large: its counted repetitions are unrolled');
  const compiler = new Compiler(pattern);
  compiler.any(pattern.alternatives, flags, 0);
  return compiler.finish();
}

/** The number of instructions at most. Throws an UnusableRegExp for an element that has none. */
function sizeOf(element: AST.Element): number {
  switch (element.type) {
    case 'Character':
    case 'CharacterSet':
    case 'CharacterClass':
      return 1;
    case 'Assertion':
      if (element.kind === 'lookahead' || element.kind === 'lookbehind') throw refused(`a ${element.kind}`, element);
      return 1;
    case 'Group':
    case 'CapturingGroup':
      return sizeOfAny(element.alternatives) + 2;
    case 'Quantifier': {
      if (Math.max(element.min, element.max === Infinity ? 0 : element.max) > mostRepetitions) {
        throw refused(`a count above ${mostRepetitions}`, element);
      }
      const copies = element.max === Infinity ? element.min + 1 : element.max;
      const size = sizeOf(element.element);
      return copies === 0 ? 0 : copies * (size + (isNullable(element.element) ? 4 : 2)) + 1;
    }
    case 'Backreference':
      throw refused('a back reference', element);
    default:
      throw refused('a set of strings', element);
  }
}

function sizeOfAny(alternatives: readonly AST.Alternative[]): number {
  let size = 2 * alternatives.length;
  for (const { elements } of alternatives) for (const element of elements) size += sizeOf(element);
  return size;
}

function refused(what: string, { raw }: AST.Element): UnusableRegExp {
  return new UnusableRegExp(`it has ${what}, ${raw.length > 40 ? `${raw.slice(0, 40)}…` : raw}`);
}

class Compiler {
  readonly #ops: number[] = [];
  readonly #xs: number[] = [];
  readonly #ys: number[] = [];
  readonly #sets: CodeUnits[] = [];
  /** In the order of their opening parentheses, by which they are numbered. */
  readonly #groups: AST.CapturingGroup[] = [];
  #depth = 0;

  constructor(pattern: AST.Pattern) {
    visitRegExpAST(pattern, { onCapturingGroupEnter: (group) => void this.#groups.push(group) });
  }

  finish(): Program {
    this.#emit(op.match);
    const [ops, xs, ys] = [Uint8Array.from(this.#ops), Int32Array.from(this.#xs), Int32Array.from(this.#ys)];
    const groups = this.#groups.length;
    if (ops.length * (groups + 1) > mostSlots) throw new UnusableRegExp('it is too large: it has too many groups');
    return { ops, xs, ys, sets: this.#sets, groups, depth: this.#depth };
  }

  any(alternatives: readonly AST.Alternative[], flags: PatternFlags, depth: number): void {
    const jumps: number[] = [];
    for (const [index, { elements }] of alternatives.entries()) {
      const isLast = index === alternatives.length - 1;
      const split = isLast ? undefined : this.#emit(op.split, this.#here + 1);
      for (const element of elements) this.#element(element, flags, depth);
      if (split === undefined) continue;
      jumps.push(this.#emit(op.jump));
      this.#ys[split] = this.#here;
    }
    for (const jump of jumps) this.#xs[jump] = this.#here;
  }

  #element(element: AST.Element, flags: PatternFlags, depth: number): void {
    if (isUnitElement(element)) this.#emit(op.unit, this.#indexOf(codeUnitsOf(element, flags)));
    else if (element.type === 'Assertion') this.#emit(op.assert, assertionOf(element, flags));
    else if (element.type === 'Group') this.any(element.alternatives, flagsWithin(element, flags), depth);
    else if (element.type === 'CapturingGroup') this.#group(element, flags, depth);
    else if (element.type === 'Quantifier') this.#quantifier(element, flags, depth);
  }

  #indexOf(units: CodeUnits): number {
    const known = this.#sets.indexOf(units);
    return known < 0 ? this.#sets.push(units) - 1 : known;
  }

  #group(group: AST.CapturingGroup, flags: PatternFlags, depth: number): void {
    const number = this.#groups.indexOf(group) + 1;
    this.#emit(op.save, 2 * number);
    this.any(group.alternatives, flags, depth);
    this.#emit(op.save, 2 * number + 1);
  }

  /** First the mandatory repetitions, and then the optional ones, of which none may be empty. */
  #quantifier({ element, min, max, greedy }: AST.Quantifier, flags: PatternFlags, depth: number): void {
    const within = this.#groups.flatMap((group, index) => (isWithin(group, element) ? [index + 1] : []));
    const [first, last] = [within.at(0), within.at(-1)];
    const repeat = (inner: number): void => {
      if (first !== undefined && last !== undefined) this.#emit(op.clear, 2 * first, 2 * last + 2);
      this.#element(element, flags, inner);
    };
    const repeatIfFull = (): void => {
      if (!isNullable(element)) {
        repeat(depth);
        return;
      }
      this.#depth = Math.max(this.#depth, depth + 1);
      this.#emit(op.begin, depth);
      repeat(depth + 1);
      this.#emit(op.check, depth);
    };
    const splits: number[] = [];
    const split = (): void => void splits.push(this.#emit(op.split));
    for (let count = 0; count < min; count += 1) repeat(depth);
    if (max === Infinity) {
      const loop = this.#here;
      split();
      repeatIfFull();
      this.#emit(op.jump, loop);
    } else {
      for (let count = min; count < max; count += 1) {
        split();
        repeatIfFull();
      }
    }
    for (const index of splits) this.#direct(index, greedy);
  }

  /** Lets a split choose between what follows it and what is compiled next. */
  #direct(split: number, prefersFirst: boolean): void {
    this.#xs[split] = prefersFirst ? split + 1 : this.#here;
    this.#ys[split] = prefersFirst ? this.#here : split + 1;
  }

  get #here(): number {
    return this.#ops.length;
  }

  #emit(code: number, x = 0, y = 0): number {
    this.#xs.push(x);
    this.#ys.push(y);
    return this.#ops.push(code) - 1;
  }
}

function isWithin(inner: AST.Node, outer: AST.Node): boolean {
  return inner.start >= outer.start && inner.end <= outer.end;
}

function isNullable(element: AST.Element): boolean {
  switch (element.type) {
    case 'Assertion':
      return true;
    case 'Group':
    case 'CapturingGroup':
      return element.alternatives.some(({ elements }) => elements.every(isNullable));
    case 'Quantifier':
      return element.min === 0 || isNullable(element.element);
    default:
      return false;
  }
}

export function flagsWithin({ modifiers }: AST.Group, flags: PatternFlags): PatternFlags {
  if (modifiers === null) return flags;
  const { add, remove } = modifiers;
  const has = (name: keyof PatternFlags): boolean => add[name] || (flags[name] && remove?.[name] !== true);
  return { ignoreCase: has('ignoreCase'), multiline: has('multiline'), dotAll: has('dotAll') };
}

function assertionOf(element: AST.Assertion, { multiline }: PatternFlags): number {
  switch (element.kind) {
    case 'start':
      return multiline ? assertion.lineStart : assertion.textStart;
    case 'end':
      return multiline ? assertion.lineEnd : assertion.textEnd;
    case 'word':
      return element.negate ? assertion.noBoundary : assertion.boundary;
    default:
      throw refused(`a ${element.kind}`, element);
  }
}
