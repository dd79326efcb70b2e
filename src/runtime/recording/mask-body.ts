import { containsApiKey, containsCredentialWord } from '../../contract/credential-names.ts';
import { pointerSegments } from '../../contract/index.ts';
import { holdsJson, isIndex } from '../../contract/mask-rules.ts';
import { joinPointer } from '../../diagnostics/json-pointer.ts';
import { scanJson } from '../body/json-scan.ts';

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
export function maskBody(
  text: string | undefined,
  pointers: readonly string[],
  { areCredentialsMasked = false }: MaskOptions = {},
): MaskedBody {
  const looksForCredentials = areCredentialsMasked && text !== undefined && mayHoldCredential(text);
  if (text === undefined || (pointers.length === 0 && !looksForCredentials)) return { text, masked: [] };
  const masking = new Masking(text, looksForCredentials);
  masking.value(masking.blanks(0), treeOf(pointers));
  return masking.result();
}

export interface MaskOptions {
  /**
   * Whether texts and numbers are masked as well whose member is named like a credential: `password`, `access_token`, and texts
   * under any name that have a key of a gateway in them.
   */
  readonly areCredentialsMasked?: boolean;
}

/** Most bodies have none, which a search finds out sooner than a scan. A name and a key may be escaped. */
function mayHoldCredential(text: string): boolean {
  return containsCredentialWord(text) || text.includes('\\u') || containsApiKey(text);
}

/** Numbers of tokens are no credentials. */
const countName = /tokens|token_?count/i;
const noMasks: readonly string[] = [];

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

const noPointers: PointerTree = { ending: [], below: new Map(), pointers: [], named: undefined };

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

/**
 * How long the pointers to credentials may be together, in characters. Names add up on the way to each value: without a bound, a body
 * of a few hundred kilobytes would have pointers of hundreds of megabytes.
 */
const mostPointers = 32_768;

class Masking {
  readonly #text: string;
  readonly #looksForCredentials: boolean;
  readonly #masked = new Set<string>();
  /** Names of the members that lead to the value that is scanned. */
  readonly #path: string[] = [];
  /** How many of them name a credential. */
  #credentialsAround = 0;
  /** How long further pointers to credentials may be. */
  #pointersLeft = mostPointers;
  /** The member of the body to which a pointer led last. */
  #outermost = { name: '', pointer: '/' };
  #written = '';
  #copiedTo = 0;

  constructor(text: string, looksForCredentials: boolean) {
    this.#text = text;
    this.#looksForCredentials = looksForCredentials;
  }

  result(): MaskedBody {
    return { text: this.#written + this.#text.slice(this.#copiedTo), masked: [...this.#masked] };
  }

  /** Masks the value that begins at `start` as the tree says, and returns where it ends. */
  value(start: number, tree: PointerTree): number {
    if (tree.ending.length > 0) return this.#replace(start, tree.ending);
    if (tree.below.size === 0 && !this.#looksForCredentials) return this.#skip(start);
    switch (this.#text[start]) {
      case '{':
        return this.#object(start, tree);
      case '[':
        return this.#array(start, tree);
      case '"': {
        if (this.#credentialsAround > 0) return this.#replace(start, [this.#pointer]);
        const end = this.#skipString(start);
        const written = this.#text.slice(start, end);
        if (tree.below.size === 0 && !mayHoldCredential(written)) return end;
        const value: string = JSON.parse(written);
        if (!holdsJson(value)) return this.#holdsKey(value) ? this.#replace(start, [this.#pointer]) : end;
        return tree.below.size === 0 ? this.#nested(start, end, value) : this.#replace(start, tree.pointers);
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
      const name: string = JSON.parse(this.#text.slice(at, nameEnd));
      const colon = this.blanks(nameEnd);
      const valueStart = this.blanks(colon + 1);
      at = this.#afterComma(this.#member(name, valueStart, tree.below.get(name)));
    }
    return at + 1;
  }

  #member(name: string, start: number, below: PointerTree | undefined): number {
    if (!this.#looksForCredentials) return below === undefined ? this.#skip(start) : this.value(start, below);
    const isCredential = containsCredentialWord(name);
    this.#path.push(name);
    if (isCredential) this.#credentialsAround += 1;
    const isNumber = /[-\d]/.test(this.#text[start] ?? '');
    const end =
      isCredential && isNumber && !countName.test(name)
        ? this.#replace(start, below?.ending.length ? below.ending : [this.#pointer])
        : this.value(start, below ?? noPointers);
    if (isCredential) this.#credentialsAround -= 1;
    this.#path.pop();
    return end;
  }

  #holdsKey(value: string): boolean {
    return this.#looksForCredentials && containsApiKey(value);
  }

  /** Masks credentials in a string that holds JSON, and leaves the rest of it as it is. */
  #nested(start: number, end: number, json: string): number {
    if (!isJson(json)) return this.#holdsKey(json) ? this.#replace(start, [this.#pointer]) : end;
    // Deeper than a body may be: the stack does not allow to look for credentials there.
    if (scanJson(Buffer.from(json)) === undefined) return this.#replace(start, [this.#pointer]);
    const { text, masked } = maskBody(json, noMasks, { areCredentialsMasked: true });
    if (masked.length === 0) return end;
    this.#written += this.#text.slice(this.#copiedTo, start) + JSON.stringify(text);
    this.#copiedTo = end;
    for (const pointer of masked) this.#masked.add(this.#pointerTo(pointer));
    return end;
  }

  /** Where the scanned value is; without indexes, it leads into every item of a list. */
  get #pointer(): string {
    return this.#pointerTo('');
  }

  /** Beyond the bound it leads to the member of the body that has the value in it. */
  #pointerTo(rest: string): string {
    const length = this.#path.reduce((sum, name) => sum + name.length + 1, rest.length);
    if (length <= this.#pointersLeft) {
      this.#pointersLeft -= length;
      return `${joinPointer('', ...this.#path)}${rest}`;
    }
    const [name = ''] = this.#path;
    if (this.#outermost.name !== name) this.#outermost = { name, pointer: joinPointer('', name) };
    return this.#outermost.pointer;
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

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
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
