import { pointerSegments } from '../../contract/index.ts';
import { holdsJson, isIndex } from '../../contract/mask-rules.ts';

export interface MaskedBody {
  readonly text: string | undefined;
  /** The pointers at which there was a value. */
  readonly masked: readonly string[];
}

/**
 * Replaces the values at the pointers by placeholders of the same type, so that the gateway still accepts the body. A
 * pointer that has no index for a list leads into each of its items, and one into a string that holds JSON masks it. All other
 * text stays as it was written. The text is scanned once, not parsed, because it may be large and would block the
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
  /** The pointers that end here: one by the index of an item, and one without. */
  readonly ending: string[];
  readonly below: Map<string, PointerTree>;
  /** The pointers that end here or below. */
  readonly pointers: string[];
  /** What of it applies to every item of a list: the segments that are no index. */
  readonly named: PointerTree | undefined;
}

const trees = new WeakMap<readonly string[], PointerTree>();

function treeOf(pointers: readonly string[]): PointerTree {
  const known = trees.get(pointers);
  if (known !== undefined) return known;
  const root = newTree();
  for (const pointer of pointers) {
    let at = root;
    for (const segment of pointerSegments(pointer)) {
      const next = at.below.get(segment) ?? newTree();
      at.below.set(segment, next);
      if (!isIndex(segment)) {
        at.named?.below.set(segment, next);
        at.named?.pointers.push(pointer);
      }
      at = next;
      at.pointers.push(pointer);
    }
    at.ending.push(pointer);
  }
  trees.set(pointers, root);
  return root;
}

function newTree(): PointerTree {
  return { ...emptyTree(), named: { ...emptyTree(), named: undefined } };
}

/** Of an item of a list: what its index leads to, and what leads into every item. */
function treeOfItem(tree: PointerTree, index: number): PointerTree {
  const named = tree.named ?? tree;
  const indexed = tree.below.get(String(index));
  if (indexed === undefined) return named;
  return named.below.size === 0 ? indexed : merged(indexed, named);
}

function merged(one: PointerTree, other: PointerTree): PointerTree {
  const below = new Map(one.below);
  for (const [segment, tree] of other.below) {
    const known = below.get(segment);
    below.set(segment, known === undefined ? tree : merged(known, tree));
  }
  const both = {
    below,
    ending: [...one.ending, ...other.ending],
    pointers: [...one.pointers, ...other.pointers],
  };
  const [named, otherNamed] = [one.named ?? one, other.named ?? other];
  return {
    ...both,
    named: one.named === undefined && other.named === undefined ? undefined : merged(named, otherNamed),
  };
}

function emptyTree(): Omit<PointerTree, 'named'> {
  return { ending: [], below: new Map(), pointers: [] };
}

class Masking {
  readonly #text: string;
  readonly #masked = new Set<string>();
  #written = '';
  #copiedTo = 0;

  constructor(text: string) {
    this.#text = text;
  }

  result(): MaskedBody {
    return { text: this.#written + this.#text.slice(this.#copiedTo), masked: [...this.#masked] };
  }

  /** Masks the value that begins at `start` as the tree says, and returns where it ends. */
  value(start: number, tree: PointerTree): number {
    if (tree.ending.length > 0) return this.#replace(start, tree.ending);
    if (tree.below.size === 0) return this.#skip(start);
    switch (this.#text[start]) {
      case '{':
        return this.#object(start, tree);
      case '[':
        return this.#array(start, tree);
      case '"': {
        const end = this.#skipString(start);
        return holdsJson(JSON.parse(this.#text.slice(start, end))) ? this.#replace(start, tree.pointers) : end;
      }
      default:
        return this.#skip(start);
    }
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
      const below = treeOfItem(tree, index);
      at = this.#afterComma(this.value(at, below));
    }
    return at + 1;
  }

  #afterComma(start: number): number {
    const at = this.blanks(start);
    return this.#text[at] === ',' ? this.blanks(at + 1) : at;
  }

  #replace(start: number, pointers: readonly string[]): number {
    const end = this.#skip(start);
    const [pointer = ''] = pointers;
    this.#written +=
      this.#text.slice(this.#copiedTo, start) + (placeholdersByPointer.get(pointer) ?? this.#placeholder(start));
    this.#copiedTo = end;
    for (const one of pointers) this.#masked.add(one);
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
