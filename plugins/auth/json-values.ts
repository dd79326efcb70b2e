import { invalid } from './json-name.ts';
import { childAt, childNamed, type JsonPath, type PathNode, pathTree } from './json-path-tree.ts';

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** What stands at a path: a scalar, strings decoded and others as written; undefined for each place that has none. */
type Found = readonly (string | undefined)[];

/**
 * Returns what finds the scalars at some paths in JSON text, all of them in one pass. The body of an unknown sender is
 * not parsed for that: nothing is allocated but what is found, and each byte is looked at a few times at most. It is no
 * validator: what is skipped may be malformed, and the gateway refuses that later. But nothing is found if a place on a
 * path is malformed.
 */
export function scalarFinder(paths: readonly JsonPath[]): (bytes: Uint8Array) => readonly Found[] {
  const isPlain = paths.every((path) => !path.includes('*'));
  // A `*` takes each item, also one that another path takes by its index.
  if (!isPlain && paths.length > 1) {
    const finders = paths.map((path) => scalarFinder([path]));
    return (bytes) => finders.flatMap((find) => find(bytes));
  }
  const { root, size } = pathTree(paths);
  return (bytes) => {
    const walk = new Walk(bytes, paths.length, size);
    return walk.find(root) ? walk.found : paths.map(() => [undefined]);
  };
}

/** Finds the scalars at a path; see `scalarFinder`. */
export function scalarsAt(bytes: Uint8Array, path: JsonPath): Found {
  return scalarFinder([path])(bytes)[0] ?? [];
}

class Walk {
  readonly found: readonly (string | undefined)[][];
  readonly #bytes: Uint8Array;
  readonly #length: number;
  /** The number of the object that a member was last found in, by the position of its node. */
  readonly #seenIn: Uint32Array;
  #objects = 0;
  #index = 0;
  /** Whether the string that was passed last has a backslash. */
  #hasEscapes = false;

  constructor(bytes: Uint8Array, paths: number, nodes: number) {
    this.found = Array.from({ length: paths }, () => []);
    this.#bytes = bytes;
    this.#length = bytes.length;
    this.#seenIn = new Uint32Array(nodes);
  }

  /** Whether the places on the paths are well formed. */
  find(root: PathNode): boolean {
    return this.#value(root);
  }

  /** Recurses as deep as the longest path. */
  #value(node: PathNode): boolean {
    const first = this.#peek();
    if (node.children.length > 0 && (first === openBrace || first === openBracket)) {
      this.#add(node.ends, undefined);
      return first === openBrace ? this.#object(node) : this.#array(node);
    }
    const start = this.#index;
    if (!this.#skip()) return false;
    let scalar: string | undefined;
    if (node.ends.length > 0 && first !== openBrace && first !== openBracket) {
      scalar = first === quote ? decoded(this.#text(start)) : this.#text(start);
      // The first wrong string ends the walk: an exception for each would be work.
      if (scalar === undefined) return false;
    }
    for (const path of node.through) this.found[path]?.push(node.ends.includes(path) ? scalar : undefined);
    return true;
  }

  #object(node: PathNode): boolean {
    this.#objects += 1;
    const object = this.#objects;
    this.#index += 1;
    if (this.#peek() === closeBrace) this.#index += 1;
    else {
      for (;;) {
        if (this.#peek() !== quote) return false;
        const start = this.#index + 1;
        this.#index = this.#endOfString(this.#index);
        const child = childNamed(node, this.#bytes, start, this.#index - 1, this.#hasEscapes);
        if (child === invalid || this.#peek() !== colon) return false;
        this.#index += 1;
        if (child !== undefined) {
          // Of two members of one name each reader might take another one.
          if (this.#seenIn[child.node.position] === object) return false;
          this.#seenIn[child.node.position] = object;
        }
        if (!(child === undefined ? this.#skip() : this.#value(child.node))) return false;
        const next = this.#peek();
        this.#index += 1;
        if (next === closeBrace) break;
        if (next !== comma) return false;
      }
    }
    for (const child of node.children) {
      if (this.#seenIn[child.node.position] !== object) this.#add(child.node.through, undefined);
    }
    return true;
  }

  #array(node: PathNode): boolean {
    let length = 0;
    this.#index += 1;
    if (this.#peek() === closeBracket) this.#index += 1;
    else {
      for (;;) {
        const child = childAt(node, length);
        length += 1;
        if (!(child === undefined ? this.#skip() : this.#value(child.node))) return false;
        const next = this.#peek();
        this.#index += 1;
        if (next === closeBracket) break;
        if (next !== comma) return false;
      }
    }
    for (const { item, node: below } of node.children) {
      const isThere = item === 'each' ? length > 0 : item !== undefined && item < length;
      if (!isThere) this.#add(below.through, undefined);
    }
    return true;
  }

  #add(paths: readonly number[], scalar: string | undefined): void {
    for (const path of paths) this.found[path]?.push(scalar);
  }

  /** The text from a position to the present one. */
  #text(start: number): string {
    const { buffer, byteOffset } = this.#bytes;
    return Buffer.from(buffer, byteOffset + start, this.#index - start).toString();
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
    let byte = this.#bytes[this.#index];
    while (isSpace(byte)) {
      this.#index += 1;
      byte = this.#bytes[this.#index];
    }
    return byte;
  }

  /** The position behind the closing quote. */
  #endOfString(start: number): number {
    let index = start + 1;
    this.#hasEscapes = false;
    while (index < this.#length) {
      const byte = this.#bytes[index];
      if (byte === quote) break;
      if (byte === backslash) {
        this.#hasEscapes = true;
        index += 1;
      }
      index += 1;
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
