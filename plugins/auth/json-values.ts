const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/**
 * Finds the scalars at a path in JSON text, strings decoded and others as written; undefined stands for each place that
 * holds none. The body of an unknown sender is not parsed for that: nothing is allocated but what is found, and each byte
 * is looked at once. It is no validator: what is skipped may be malformed, and the gateway refuses that later.
 * @param path tokens of a JSON pointer, where `*` is each item of a list
 */
export function scalarsAt(bytes: Uint8Array, path: readonly string[]): readonly (string | undefined)[] {
  const walk = new Walk(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), path);
  return walk.find() ? walk.found : [undefined];
}

class Walk {
  readonly found: (string | undefined)[] = [];
  readonly #bytes: Buffer;
  readonly #path: readonly string[];
  #index = 0;

  constructor(bytes: Buffer, path: readonly string[]) {
    this.#bytes = bytes;
    this.#path = path;
  }

  /** Whether the places on the path are well formed. */
  find(): boolean {
    return this.#value(0);
  }

  /** Recurses as deep as the path is long. */
  #value(depth: number): boolean {
    const first = this.#peek();
    const token = this.#path[depth];
    if (token === undefined) return this.#scalar(first);
    if (first === openBrace) return this.#object(token, depth);
    if (first === openBracket) return this.#array(token, depth);
    this.found.push(undefined);
    return this.#skip();
  }

  #scalar(first: number | undefined): boolean {
    const start = this.#index;
    if (!this.#skip()) return false;
    if (first === openBrace || first === openBracket) this.found.push(undefined);
    else if (first === quote) this.found.push(decoded(this.#bytes.toString('utf8', start, this.#index)));
    else this.found.push(this.#bytes.toString('latin1', start, this.#index));
    return true;
  }

  #object(token: string, depth: number): boolean {
    let matches = 0;
    this.#index += 1;
    if (this.#peek() === closeBrace) this.#index += 1;
    else {
      for (;;) {
        if (this.#peek() !== quote) return false;
        const start = this.#index;
        this.#index = this.#endOfString(start);
        const name = this.#bytes.toString('utf8', start + 1, this.#index - 1);
        const isMatch = (name.includes('\\') ? decoded(`"${name}"`) : name) === token;
        if (this.#peek() !== colon) return false;
        this.#index += 1;
        if (isMatch) matches += 1;
        if (!(isMatch ? this.#value(depth + 1) : this.#skip())) return false;
        const next = this.#peek();
        this.#index += 1;
        if (next === closeBrace) break;
        if (next !== comma) return false;
      }
    }
    if (matches === 0) this.found.push(undefined);
    // Of two members of one name each reader might take another one.
    return matches < 2;
  }

  #array(token: string, depth: number): boolean {
    let matches = 0;
    this.#index += 1;
    if (this.#peek() === closeBracket) this.#index += 1;
    else {
      for (let position = 0; ; position += 1) {
        const isMatch = token === '*' || token === String(position);
        if (isMatch) matches += 1;
        if (!(isMatch ? this.#value(depth + 1) : this.#skip())) return false;
        const next = this.#peek();
        this.#index += 1;
        if (next === closeBracket) break;
        if (next !== comma) return false;
      }
    }
    if (matches === 0) this.found.push(undefined);
    return true;
  }

  /** Passes over one value of any depth; false at the end of the text. */
  #skip(): boolean {
    let open = 0;
    do {
      const byte = this.#peek();
      if (byte === undefined) return false;
      if (byte === quote) this.#index = this.#endOfString(this.#index);
      else if (byte === openBrace || byte === openBracket) {
        open += 1;
        this.#index += 1;
      } else if (byte === closeBrace || byte === closeBracket) {
        open -= 1;
        if (open < 0) return false;
        this.#index += 1;
      } else if (byte === comma || byte === colon) {
        if (open === 0) return false;
        this.#index += 1;
      } else {
        while (inLiteral[this.#bytes[this.#index] ?? quote] === 1) this.#index += 1;
      }
    } while (open > 0);
    return true;
  }

  /** The next byte that is not white space; undefined at the end. */
  #peek(): number | undefined {
    while (isSpace(this.#bytes[this.#index])) this.#index += 1;
    return this.#bytes[this.#index];
  }

  #endOfString(start: number): number {
    let index = start + 1;
    while (index < this.#bytes.length && this.#bytes[index] !== quote) {
      index += this.#bytes[index] === backslash ? 2 : 1;
    }
    return index + 1;
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** Whether a byte can be in a number, `true`, `false` or `null`, by its value. */
const inLiteral = new Uint8Array(256).fill(1);
for (const byte of [0x20, 0x0a, 0x0d, 0x09, quote, comma, colon, openBracket, closeBracket, openBrace, closeBrace]) {
  inLiteral[byte] = 0;
}

function decoded(literal: string): string | undefined {
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
