/** What code did, counted without a clock, and without what it says itself. */
export interface Count {
  /** Items and members that it read from a counted value, and items that it added to arrays. */
  items: number;
  /** Names of members that it listed. */
  names: number;
  /** UTF-16 units that it read, searched or wrote in texts. */
  characters: number;
}

/** Objects with more names only count when they are listed. */
const mostNames = 100;

const { keys } = Object;

let current: Count | undefined;
/** Proxies of the same value are the same, so that they are equal. */
const proxies = new WeakMap<object, object>();

/** A value that counts what is read of it while `countWork` runs. */
export function counted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const known = proxies.get(value);
  if (known !== undefined) return known;
  // Listing the names of a proxy takes a thousand times as long as they deserve.
  if (!Array.isArray(value) && keys(value).length > mostNames) {
    proxies.set(value, value);
    return value;
  }
  const proxy = new Proxy(value, {
    get(target, name, receiver) {
      const member: unknown = Reflect.get(target, name, receiver);
      if (current !== undefined && typeof name === 'string' && name !== 'length' && Object.hasOwn(target, name)) {
        current.items += 1;
      }
      return counted(member);
    },
  });
  proxies.set(value, proxy);
  return proxy;
}

/** Runs something, and counts its work by replacing the methods of JavaScript that do it. */
export function countWork<Result>(run: () => Result): {
  readonly count: Count;
  readonly result?: Result;
  readonly error?: unknown;
} {
  const { count, stop } = startCounting();
  try {
    return { count, result: run() };
  } catch (error) {
    return { count, error };
  } finally {
    stop();
  }
}

/** Counts all work of this process until `stop`. */
export function startCounting(): { readonly count: Count; stop(): void } {
  const count: Count = { items: 0, names: 0, characters: 0 };
  const restores = methods.map(([owner, name, measure]) => replace(owner, name, measure, count));
  current = count;
  const stop = () => {
    current = undefined;
    for (const restore of restores) restore();
  };
  return { count, stop };
}

/** Adds what a call did to the count. */
type Measure = (count: Count, self: unknown, args: readonly unknown[], result: unknown, lastIndex: number) => void;

function replace(owner: object, name: PropertyKey, measure: Measure, count: Count): () => void {
  const descriptor = Object.getOwnPropertyDescriptor(owner, name) as PropertyDescriptor;
  const original = descriptor.value as (...args: unknown[]) => unknown;
  Object.defineProperty(owner, name, {
    ...descriptor,
    value(this: unknown, ...args: unknown[]) {
      const lastIndex = this instanceof RegExp && this.global ? this.lastIndex : 0;
      const result = Reflect.apply(original, this, args);
      measure(count, this, args, result, lastIndex);
      return result;
    },
  });
  return () => Object.defineProperty(owner, name, descriptor);
}

const lengthOf = (value: unknown): number =>
  typeof value === 'string' || Array.isArray(value) || value instanceof Uint8Array ? value.length : 0;

const byItems: Measure = (count, _self, _args, result) => {
  count.items += lengthOf(result);
};
const bySelf: Measure = (count, self, _args, result) => {
  count.characters += lengthOf(self) + lengthOf(result);
};
const byResult: Measure = (count, _self, _args, result) => {
  count.characters += lengthOf(result);
};
const byArgument: Measure = (count, _self, [text]) => {
  count.characters += lengthOf(text);
};
const bySearch: Measure = (count, _self, [text], result, lastIndex) => {
  const found = result as RegExpExecArray | null;
  const end = found === null ? lengthOf(text) : found.index + found[0].length;
  count.characters += Math.max(0, end - lastIndex);
};
const byDistance: Measure = (count, self, [sought, from], result) => {
  const start = typeof from === 'number' ? from : 0;
  const found = Number(result);
  count.characters += found < 0 ? Math.max(0, lengthOf(self) - start) : found - start + lengthOf(sought);
};

const byCharacter: Measure = (count) => {
  count.characters += 1;
};
const byNames: Measure = (count, _self, _args, result) => {
  count.names += lengthOf(result);
};

const methods: readonly (readonly [owner: object, name: PropertyKey, measure: Measure])[] = [
  [
    Array.prototype,
    'push',
    (count, _self, args) => {
      count.items += args.length;
    },
  ],
  [Array.prototype, 'concat', byItems],
  [Array.prototype, 'slice', byItems],
  [Array.prototype, 'map', byItems],
  [Array.prototype, 'toReversed', byItems],
  [Array.prototype, 'toSorted', byItems],
  [Array, 'from', byItems],
  [Object, 'keys', byNames],
  [Object, 'values', byNames],
  [Object, 'entries', byNames],
  [Object, 'getOwnPropertyNames', byNames],
  [Array.prototype, 'join', byResult],
  [String.prototype, 'charCodeAt', byCharacter],
  [String.prototype, 'indexOf', byDistance],
  [String.prototype, 'split', bySelf],
  [String.prototype, 'replace', bySelf],
  [String.prototype, 'toLowerCase', bySelf],
  [String.prototype, 'toUpperCase', bySelf],
  [String.prototype, 'trim', bySelf],
  [String.prototype, Symbol.iterator, bySelf],
  // Also called by `test`, `match` and `replace` of a regular expression, once it is replaced.
  [RegExp.prototype, 'exec', bySearch],
  [Buffer, 'from', byArgument],
  [JSON, 'stringify', byResult],
  [JSON, 'parse', byArgument],
];
