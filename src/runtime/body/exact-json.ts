import type { JsonValue } from '../../contract/index.ts';

/**
 * Whether `JSON.parse` may have misread the name of a member. V8 expects the names of the object that it read before: one
 * written with an escape is taken for the expected one if its first characters, as written, are the same. After
 * `{"a":1,"\\":2}` it reads `{"a":1,"\n":2}` as the former. The name that it reads by mistake always has a backslash.
 */
export function isMaybeMisread(value: unknown, text: string): boolean {
  return text.includes('\\') && hasBackslash(value);
}

function hasBackslash(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.some(hasBackslash);
  const members = value as Readonly<Record<string, unknown>>;
  for (const name in members) {
    if (name.includes('\\') || hasBackslash(members[name])) return true;
  }
  return false;
}

/**
 * Reads a text that is known to be JSON, as `JSON.parse` should. Slower, and for texts that may be misread only.
 * @param numberOf makes a number of its source text
 */
export function parseExactly(text: string, numberOf: (source: string) => unknown = Number): JsonValue {
  return new Reader(text, numberOf).value() as JsonValue;
}

const blanks = /[ \t\n\r]*/y;
const word = /[^ \t\n\r,\]}]+/y;

class Reader {
  readonly #text: string;
  readonly #numberOf: (source: string) => unknown;
  #at = 0;

  constructor(text: string, numberOf: (source: string) => unknown) {
    this.#text = text;
    this.#numberOf = numberOf;
  }

  value(): unknown {
    switch (this.#next()) {
      case '{':
        return this.#object();
      case '[':
        return this.#array();
      case '"':
        return this.#string();
      default:
        return this.#word();
    }
  }

  #object(): Record<string, unknown> {
    const members: Record<string, unknown> = {};
    while (this.#isInside('}')) {
      const name = this.#string();
      this.#next();
      this.#at += 1;
      const value = this.value();
      // An assignment would set the prototype.
      if (name === '__proto__') Object.defineProperty(members, name, { ...property, value });
      else members[name] = value;
    }
    return members;
  }

  #array(): unknown[] {
    const items: unknown[] = [];
    while (this.#isInside(']')) items.push(this.value());
    return items;
  }

  /** Passes the opening bracket or a comma, or the closing bracket: then there is nothing more. */
  #isInside(close: string): boolean {
    const isEnd = this.#next() === close;
    this.#at += 1;
    if (isEnd) return false;
    if (this.#next() !== close) return true;
    this.#at += 1;
    return false;
  }

  /** A string on its own is never misread. */
  #string(): string {
    const start = this.#at;
    let end = this.#text.indexOf('"', start + 1);
    while (isEscaped(this.#text, end)) end = this.#text.indexOf('"', end + 1);
    this.#at = end + 1;
    const written = this.#text.slice(start, this.#at);
    return written.includes('\\') ? JSON.parse(written) : written.slice(1, -1);
  }

  #word(): unknown {
    word.lastIndex = this.#at;
    const [written = ''] = word.exec(this.#text) ?? [];
    this.#at += written.length;
    return /^[-0-9]/.test(written) ? this.#numberOf(written) : JSON.parse(written);
  }

  /** Skips white space and returns the character there. */
  #next(): string | undefined {
    blanks.lastIndex = this.#at;
    this.#at += blanks.exec(this.#text)?.[0].length ?? 0;
    return this.#text[this.#at];
  }
}

const property = { enumerable: true, configurable: true, writable: true };

/** Whether the character there, of a string, is part of an escape. */
export function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === '\\') slashes += 1;
  return slashes % 2 === 1;
}
