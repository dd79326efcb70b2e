import type { WorkBudget } from '../../../src/contract/index.ts';
import type { PointerNode } from './pointer-tree.ts';

/**
 * The canonical form of a JSON text: the same value again as JSON, without white space, members sorted, strings with
 * the fewest escapes, numbers as they were written. Being JSON of the same value, it differs whenever values differ.
 * The text must be valid JSON without duplicate members, and shallow enough to recurse into. Throws a WorkExhausted before it
 * does more than the budget pays for.
 */
export function canonicalForm(text: string, work: WorkBudget): string {
  return new Scanner(text, work).value();
}

/** The canonical form without the values at the pointers: members are dropped, array items removed. */
export function canonicalRest(text: string, work: WorkBudget, ignored: PointerNode): string {
  return new Scanner(text, work).value(ignored);
}

/** The canonical form of only the values at the pointers; undefined if none of them exists. */
export function canonicalParts(text: string, work: WorkBudget, included: PointerNode): string | undefined {
  const parts: string[] = [];
  new Scanner(text, work).collect(included, parts);
  return parts.length === 0 ? undefined : `{${parts.sort().join(',')}}`;
}

const quote = 0x22;
const comma = 0x2c;
const backslash = 0x5c;
const bracketOpen = 0x5b;
const bracketClose = 0x5d;
const braceOpen = 0x7b;
const braceClose = 0x7d;
const space = 0x20;

/** In UTF-16 units. */
const shortString = 40;

/** Up to this many members an insertion sort is faster than the general one. */
const fewMembers = 24;

/** Units to write an object or array, the items and members aside. */
const costOfContainer = 2.5;
const costOfScalar = 2;
const costOfString = 1.2;
/** Units to look at a character. */
const costOfCharacter = 1 / 32;
/** Units to read a string and write it again, and for each of its characters; more with lone surrogates, which are escaped. */
const costOfRewriting = 4;
const costOfRewritten = 0.5;
const costOfSurrogate = 1.5;
/** Characters of two names that are compared in one unit. */
const comparedPerUnit = 64;

/** Reads values one after another. It trusts the text to be valid JSON, and so only finds where values end. */
class Scanner {
  readonly #text: string;
  readonly #work: WorkBudget;
  #position = 0;
  /** Position of the next backslash at or after the last string's start; Infinity: there is none. */
  #nextBackslash = -1;
  /** A raw lone surrogate must become its escape, which denotes the same string. */
  readonly #hasLoneSurrogate: boolean;

  constructor(text: string, work: WorkBudget) {
    work.spend(text.length * costOfCharacter);
    this.#text = text;
    this.#work = work;
    this.#hasLoneSurrogate = !text.isWellFormed();
  }

  /** The canonical form of the value at the position, without the values below it that `ignored` points at. */
  value(ignored?: PointerNode): string {
    switch (this.#peek()) {
      case quote:
        return this.#string();
      case braceOpen:
        return this.#object(ignored);
      case bracketOpen:
        return this.#array(ignored);
      default:
        return this.#scalar();
    }
  }

  /** Adds `pointer:value` to the parts for each place of the tree that the value at the position has. */
  collect(included: PointerNode | undefined, parts: string[]): void {
    const first = this.#peek();
    if (included?.pointer !== undefined) {
      // A longer pointer's value is already part of this one.
      parts.push(`${included.pointer}:${this.value()}`);
    } else if (included && first === braceOpen) {
      this.#position += 1;
      while (this.#peekItem() !== braceClose) this.collect(included.children.get(this.#name()), parts);
      this.#position += 1;
    } else if (included && first === bracketOpen) {
      this.#position += 1;
      for (let index = 0; this.#peekItem() !== bracketClose; index += 1) {
        this.collect(included.children.get(`"${index}"`), parts);
      }
      this.#position += 1;
    } else {
      this.value();
    }
  }

  #object(ignored: PointerNode | undefined): string {
    this.#work.spend(costOfContainer);
    this.#position += 1;
    const names: string[] = [];
    const values: string[] = [];
    let sorted = true;
    let previous = '';
    while (this.#peekItem() !== braceClose) {
      const name = this.#name();
      const place = ignored?.children.get(name);
      const value = this.value(place);
      if (place?.pointer !== undefined) continue;
      if (name < previous) sorted = false;
      previous = name;
      names.push(name);
      values.push(value);
    }
    this.#position += 1;
    if (!sorted) {
      this.#work.spend(costOfSorting(names));
      sortMembers(names, values);
    }
    let form = '{';
    for (let index = 0; index < names.length; index += 1) {
      form += `${index === 0 ? '' : ','}${names[index]}:${values[index]}`;
    }
    return `${form}}`;
  }

  #array(ignored: PointerNode | undefined): string {
    this.#work.spend(costOfContainer);
    this.#position += 1;
    let form = '[';
    for (let index = 0; this.#peekItem() !== bracketClose; index += 1) {
      const place = ignored?.children.get(`"${index}"`);
      const item = this.value(place);
      if (place?.pointer !== undefined) continue;
      form += form.length === 1 ? item : `,${item}`;
    }
    this.#position += 1;
    return `${form}]`;
  }

  /** Reads a member's name and the colon behind it. */
  #name(): string {
    const name = this.#string();
    this.#peek();
    this.#position += 1;
    return name;
  }

  #string(): string {
    this.#work.spend(costOfString);
    const text = this.#text;
    const start = this.#position;
    // Most strings are short: scanning each unit here is cheaper than calling indexOf, which wins on long ones.
    const soon = Math.min(start + shortString, text.length);
    for (let end = start + 1; end < soon; end += 1) {
      const unit = text.charCodeAt(end);
      if (unit === backslash) break;
      if (unit === quote && !this.#hasLoneSurrogate) {
        this.#position = end + 1;
        return text.slice(start, end + 1);
      }
    }
    return this.#longString();
  }

  #longString(): string {
    const text = this.#text;
    const start = this.#position;
    let end = text.indexOf('"', start + 1);
    if (this.#nextBackslash < start) this.#nextBackslash = indexOrInfinity(text, '\\', start);
    const escaped = this.#nextBackslash < end;
    while (this.#nextBackslash < end) {
      const next = this.#nextBackslash + 2;
      if (end < next) end = text.indexOf('"', next);
      this.#nextBackslash = indexOrInfinity(text, '\\', next);
    }
    this.#position = end + 1;
    const raw = text.slice(start, end + 1);
    if (!escaped && !this.#hasLoneSurrogate) return raw;
    this.#work.spend(costOfRewriting + raw.length * (this.#hasLoneSurrogate ? costOfSurrogate : costOfRewritten));
    return JSON.stringify(JSON.parse(raw));
  }

  /** A number or a literal: ends before white space, a comma, a closing bracket, or the end of the text. */
  #scalar(): string {
    this.#work.spend(costOfScalar);
    const text = this.#text;
    const start = this.#position;
    let end = start + 1;
    for (; end < text.length; end += 1) {
      const unit = text.charCodeAt(end);
      if (unit <= space || unit === comma || unit === bracketClose || unit === braceClose) break;
    }
    this.#position = end;
    return text.slice(start, end);
  }

  /** Moves to the next item of an object or array, or its end, and returns the code unit there. */
  #peekItem(): number {
    if (this.#peek() === comma) this.#position += 1;
    return this.#peek();
  }

  /** Skips white space and returns the code unit there. */
  #peek(): number {
    let unit = this.#text.charCodeAt(this.#position);
    while (unit <= space) {
      this.#position += 1;
      unit = this.#text.charCodeAt(this.#position);
    }
    return unit;
  }
}

function indexOrInfinity(text: string, part: string, from: number): number {
  const index = text.indexOf(part, from);
  return index < 0 ? Infinity : index;
}

/** Comparisons of two short names are cheap, unless the general sort makes them. */
function costOfSorting(names: readonly string[]): number {
  const isShort = names.length <= fewMembers;
  const comparisons = isShort ? names.length / 2 : Math.log2(names.length);
  let length = 0;
  for (const name of names) length += name.length;
  return names.length * (isShort ? 1 : comparisons) + (length / comparedPerUnit) * comparisons;
}

/** Sorts the names, which are unique, and moves the values with them. */
function sortMembers(names: string[], values: string[]): void {
  if (names.length > fewMembers) {
    const valueByName = new Map(names.map((name, index) => [name, values[index] ?? '']));
    names.sort();
    for (const [index, name] of names.entries()) values[index] = valueByName.get(name) ?? '';
    return;
  }
  for (let index = 1; index < names.length; index += 1) {
    const name = names[index] ?? '';
    const value = values[index] ?? '';
    let hole = index;
    for (; hole > 0; hole -= 1) {
      const before = names[hole - 1] ?? '';
      if (before < name) break;
      names[hole] = before;
      values[hole] = values[hole - 1] ?? '';
    }
    names[hole] = name;
    values[hole] = value;
  }
}
