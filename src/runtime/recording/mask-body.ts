import { pointerSegments } from '../../contract/index.ts';

export interface MaskedBody {
  readonly text: string | undefined;
  /** The pointers at which there was a value. */
  readonly masked: readonly string[];
}

/**
 * Replaces the values at the pointers by placeholders of the same type, so that the gateway still accepts the body. All
 * other text stays as it was written. The text is scanned once, not parsed, because it may be large and would block the
 * event loop.
 * @param text JSON without duplicate members, and not nested deeper than the stack allows
 */
export function maskBody(text: string | undefined, pointers: readonly string[]): MaskedBody {
  if (text === undefined || pointers.length === 0) return { text, masked: [] };
  const masking = new Masking(text);
  masking.value(masking.blanks(0), treeOf(pointers));
  return masking.result();
}

/** Pointers as a tree of their segments. */
interface PointerTree {
  /** Set where a pointer ends. */
  pointer: string | undefined;
  readonly below: Map<string, PointerTree>;
}

const trees = new WeakMap<readonly string[], PointerTree>();

function treeOf(pointers: readonly string[]): PointerTree {
  const known = trees.get(pointers);
  if (known !== undefined) return known;
  const root: PointerTree = { pointer: undefined, below: new Map() };
  for (const pointer of pointers) {
    let at = root;
    for (const segment of pointerSegments(pointer)) {
      const next = at.below.get(segment) ?? { pointer: undefined, below: new Map() };
      at.below.set(segment, next);
      at = next;
    }
    at.pointer = pointer;
  }
  trees.set(pointers, root);
  return root;
}

class Masking {
  readonly #text: string;
  readonly #masked: string[] = [];
  #written = '';
  #copiedTo = 0;

  constructor(text: string) {
    this.#text = text;
  }

  result(): MaskedBody {
    return { text: this.#written + this.#text.slice(this.#copiedTo), masked: this.#masked };
  }

  /** Masks the value that begins at `start` as the tree says, and returns where it ends. */
  value(start: number, tree: PointerTree): number {
    if (tree.pointer !== undefined) return this.#replace(start, tree.pointer);
    const first = this.#text[start];
    if (tree.below.size === 0 || (first !== '{' && first !== '[')) return this.#skip(start);
    return first === '{' ? this.#object(start, tree) : this.#array(start, tree);
  }

  /** Where the next character is that is not whitespace. */
  blanks(start: number): number {
    let at = start;
    while (isBlank(this.#text.charCodeAt(at))) at += 1;
    return at;
  }

  #object(start: number, tree: PointerTree): number {
    let at = this.blanks(start + 1);
    while (this.#text[at] === '"') {
      const nameEnd = this.#skipString(at);
      const below = tree.below.get(JSON.parse(this.#text.slice(at, nameEnd)));
      const colon = this.blanks(nameEnd);
      const valueStart = this.blanks(colon + 1);
      const valueEnd = below === undefined ? this.#skip(valueStart) : this.value(valueStart, below);
      at = this.#afterComma(valueEnd);
    }
    return at + 1;
  }

  #array(start: number, tree: PointerTree): number {
    let at = this.blanks(start + 1);
    for (let index = 0; this.#text[at] !== ']'; index += 1) {
      const below = tree.below.get(String(index));
      at = this.#afterComma(below === undefined ? this.#skip(at) : this.value(at, below));
    }
    return at + 1;
  }

  #afterComma(start: number): number {
    const at = this.blanks(start);
    return this.#text[at] === ',' ? this.blanks(at + 1) : at;
  }

  #replace(start: number, pointer: string): number {
    const end = this.#skip(start);
    this.#written +=
      this.#text.slice(this.#copiedTo, start) + (placeholdersByPointer.get(pointer) ?? this.#placeholder(start));
    this.#copiedTo = end;
    this.#masked.push(pointer);
    return end;
  }

  #placeholder(start: number): string {
    return placeholders[this.#text[start] ?? ''] ?? '0';
  }

  /** Where a value ends. */
  #skip(start: number): number {
    const first = this.#text[start];
    if (first === '"') return this.#skipString(start);
    if (first !== '{' && first !== '[') return endOfWord(this.#text, start);
    let depth = 0;
    for (let at = start; ; at += 1) {
      const character = this.#text[at];
      if (character === undefined) return at;
      if (character === '"') at = this.#skipString(at) - 1;
      else if (character === '{' || character === '[') depth += 1;
      else if (character === '}' || character === ']') depth -= 1;
      if (depth === 0) return at + 1;
    }
  }

  /** Where a string ends: after the first quote that is not escaped. */
  #skipString(start: number): number {
    for (let at = this.#text.indexOf('"', start + 1); at !== -1; at = this.#text.indexOf('"', at + 1)) {
      let slashes = 0;
      while (this.#text[at - 1 - slashes] === '\\') slashes += 1;
      if (slashes % 2 === 0) return at + 1;
    }
    return this.#text.length;
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

const wordEnd = /[,\]}\s]|$/g;

/** Where a number, a boolean or null ends. */
function endOfWord(text: string, start: number): number {
  wordEnd.lastIndex = start;
  return wordEnd.exec(text)?.index ?? text.length;
}

/** Placeholders by the first character of the value; a number has none here, since it has many. */
const placeholders: Readonly<Record<string, string>> = {
  '"': '"***"',
  '{': '{}',
  '[': '[]',
  t: 'false',
  f: 'false',
  n: 'null',
};

/** Members that must have a certain form (schemas/source/trigger-body.schema.json). */
const placeholdersByPointer: ReadonlyMap<string, string> = new Map([
  ['/language', '"en"'],
  ['/timezone', '"UTC"'],
]);
