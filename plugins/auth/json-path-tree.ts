import { decodeName, invalid, nameBytes } from './json-name.ts';

/** The tokens of a JSON pointer, where `*` is each item of a list. */
export type JsonPath = readonly string[];

/** A place on some paths. */
export interface PathNode {
  /** The position of the node among those of its tree. */
  readonly position: number;
  /** The paths that end here, by their position. */
  readonly ends: readonly number[];
  /** The paths that lead through here or end here. */
  readonly through: readonly number[];
  readonly children: readonly PathChild[];
  /** Those that can be an item of a list. */
  readonly items: readonly PathChild[];
  /** The lengths in bytes that a name can have, as it is written. */
  readonly shortest: number;
  readonly longest: number;
  /** Where a name with escapes is decoded. */
  readonly scratch: Uint8Array;
}

export interface PathChild {
  readonly node: PathNode;
  readonly name: Uint8Array;
  /** The item of a list; undefined for none. */
  readonly item: number | 'each' | undefined;
}

/** An escape, `\uXXXX`, has 6 bytes for one UTF-16 unit. */
const mostBytesPerUnit = 6;

/** Makes a tree of paths, so that one pass finds them all. Only a path that is alone may have `*` beside an index. */
export function pathTree(paths: readonly JsonPath[]): { readonly root: PathNode; readonly size: number } {
  let size = 0;
  const nodeOf = (through: readonly number[], depth: number): PathNode => {
    const position = size;
    size += 1;
    const byToken = Map.groupBy(
      through.filter((path) => (paths[path]?.length ?? 0) > depth),
      (path) => paths[path]?.[depth] ?? '',
    );
    const tokens = [...byToken.keys()];
    const names = tokens.map(nameBytes);
    const lengths = names.map((name) => name.length);
    const children = [...byToken].map(([token, below], index) => ({
      node: nodeOf(below, depth + 1),
      name: names[index] ?? new Uint8Array(),
      item: itemOf(token),
    }));
    return {
      position,
      ends: through.filter((path) => paths[path]?.length === depth),
      through,
      children,
      items: children.filter(({ item }) => item !== undefined),
      shortest: Math.min(...lengths),
      longest: Math.max(...tokens.map((token) => token.length * mostBytesPerUnit)),
      scratch: new Uint8Array(Math.max(0, ...lengths)),
    };
  };
  const root = nodeOf([...paths.keys()], 0);
  return { root, size };
}

function itemOf(token: string): PathChild['item'] {
  if (token === '*') return 'each';
  return /^(?:0|[1-9]\d*)$/.test(token) ? Number(token) : undefined;
}

/** Returns the child of a name as it is written from `start` to `end`; `invalid` for a wrong escape. */
export function childNamed(
  node: PathNode,
  bytes: Uint8Array,
  start: number,
  end: number,
  hasEscapes: boolean,
): PathChild | undefined | typeof invalid {
  const length = end - start;
  // Nothing of any other length is decoded.
  if (length < node.shortest || length > node.longest) return undefined;
  if (!hasEscapes) return childOf(node, bytes, start, length);
  const decoded = decodeName(bytes, start, end, node.scratch);
  if (decoded === invalid) return invalid;
  return decoded < 0 ? undefined : childOf(node, node.scratch, 0, decoded);
}

function childOf(node: PathNode, bytes: Uint8Array, start: number, length: number): PathChild | undefined {
  for (const child of node.children) {
    if (child.name.length === length && isEqualAt(child.name, bytes, start)) return child;
  }
  return undefined;
}

function isEqualAt(name: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < name.length; index += 1) if (name[index] !== bytes[start + index]) return false;
  return true;
}

export function childAt(node: PathNode, item: number): PathChild | undefined {
  for (const child of node.items) if (child.item === item || child.item === 'each') return child;
  return undefined;
}
