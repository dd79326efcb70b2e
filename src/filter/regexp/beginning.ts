import type { AST } from '@eslint-community/regexpp';
import { CodeUnits, codeUnitsOf, isUnitElement, type PatternFlags } from './code-units.ts';
import { flagsWithin, op, type Program } from './program.ts';

/** The code units with which a match begins; undefined if it may be empty. */
export function firstUnitsOf({ ops, xs, ys, sets }: Program): CodeUnits | undefined {
  const first = new Set<CodeUnits>();
  const seen = new Set<number>();
  const pending = [0];
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const x = xs[at] ?? 0;
    if (ops[at] === op.match) return undefined;
    if (ops[at] === op.unit) first.add(sets[x] as CodeUnits);
    else if (ops[at] === op.jump) pending.push(x);
    else if (ops[at] === op.split) pending.push(x, ys[at] ?? 0);
    else pending.push(at + 1);
  }
  return CodeUnits.union(first);
}

/** Whether each match begins at the start of the text. */
export function isAnchored({ alternatives }: AST.Pattern, { multiline }: PatternFlags): boolean {
  if (multiline) return false;
  return alternatives.every(({ elements: [first] }) => first?.type === 'Assertion' && first.kind === 'start');
}

/** A longer text is not searched for any faster. */
const longest = 32;

/** A text that every match contains; '' if none is known. Without it, a text need not be matched at all. */
export function requiredTextOf({ alternatives }: AST.Pattern, flags: PatternFlags): string {
  const [only, another] = alternatives;
  if (only === undefined || another !== undefined) return '';
  const texts = new RequiredTexts();
  texts.sequence(only.elements, flags);
  return texts.longest;
}

class RequiredTexts {
  longest = '';
  #text = '';

  sequence(elements: readonly AST.Element[], flags: PatternFlags): void {
    for (const element of elements) this.#element(element, flags);
  }

  #element(element: AST.Element, flags: PatternFlags): void {
    if (isUnitElement(element)) this.#unit(codeUnitsOf(element, flags).only);
    else if (element.type === 'Quantifier') this.#quantifier(element, flags);
    else if (element.type === 'Group' || element.type === 'CapturingGroup') {
      const [only, another] = element.alternatives;
      if (only === undefined || another !== undefined) this.#end();
      else this.sequence(only.elements, element.type === 'Group' ? flagsWithin(element, flags) : flags);
    }
  }

  #unit(unit: number | undefined): void {
    if (unit === undefined) {
      this.#end();
      return;
    }
    this.#text = (this.#text + String.fromCharCode(unit)).slice(-longest);
    if (this.#text.length >= this.longest.length) this.longest = this.#text;
  }

  #quantifier({ element, min }: AST.Quantifier, flags: PatternFlags): void {
    this.#end();
    if (min > 0) this.#element(element, flags);
    this.#end();
  }

  #end(): void {
    this.#text = '';
  }
}
