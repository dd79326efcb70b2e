import { isMap, isScalar, isSeq, type Node, type Scalar } from 'yaml';
import { pointerSegments } from '../contract/index.ts';
import type { Place } from './problem.ts';
import { scalarOffset } from './scalar-offset.ts';
import type { SourceFile } from './source.ts';

/** A point in a text: line and column count from 1, columns and offset in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
  readonly offset: number;
}

export interface Range {
  readonly start: Position;
  /** Exclusive. Equal to `start` where only a point is known. */
  readonly end: Position;
}

/** Finds a place in the text of its file. What is missing is where its nearest existing parent is. */
export function locate(source: SourceFile, place: Place): Range {
  const [start, end] = offsets(source, place);
  return { start: positionAt(source.text, start), end: positionAt(source.text, Math.max(start, end)) };
}

/** Gives the offsets of the whole value at a place, over all its lines; undefined if there is none. */
export function valueOffsets(
  source: SourceFile,
  place: Place,
): { readonly start: number; readonly end: number } | undefined {
  const root = source.document?.contents;
  const { value, found } = root ? find(root, pointerSegments(place.pointer)) : { value: undefined, found: false };
  return found && value?.range ? { start: value.range[0], end: value.range[1] } : undefined;
}

type Offsets = readonly [start: number, end: number];

function offsets(source: SourceFile, place: Place): Offsets {
  const root = source.document?.contents;
  if (!root) return [place.offset ?? 0, place.offset ?? 0];
  const { key, value, found } = find(root, pointerSegments(place.pointer));
  if (!found || place.atName) return nodeOffsets(key ?? value, source.text);
  if (place.offset !== undefined && isScalar(value)) {
    const start = scalarOffset(value, source.text, place.offset);
    return [start, start];
  }
  const isEmpty = !value?.range || value.range[0] === value.range[1];
  return nodeOffsets(isEmpty ? (key ?? value) : value, source.text);
}

interface Found {
  readonly key: Node | undefined;
  readonly value: Node | undefined;
  /** False if `key` and `value` are only the nearest parent. */
  readonly found: boolean;
}

function find(root: Node, segments: readonly string[]): Found {
  let key: Node | undefined;
  let value: Node | undefined = root;
  for (const segment of segments) {
    const next: Found | undefined = child(value, segment);
    if (!next) return { key, value, found: false };
    ({ key, value } = next);
  }
  return { key, value, found: true };
}

function child(parent: Node | undefined, segment: string): Found | undefined {
  if (isSeq<Node>(parent)) {
    const item = parent.items[Number(segment)];
    return item && { key: undefined, value: item, found: true };
  }
  if (!isMap<Scalar, Node>(parent)) return undefined;
  // The last of duplicate members is the one that the value was made of.
  const pair = parent.items.findLast((item) => String(item.key.value) === segment);
  return pair && { key: pair.key, value: pair.value ?? undefined, found: true };
}

function nodeOffsets(node: Node | undefined, text: string): Offsets {
  const [start, end] = node?.range ?? [0, 0];
  const lineEnd = text.indexOf('\n', start);
  const isOneLine = lineEnd === -1 || end <= lineEnd;
  return [start, isScalar(node) && isOneLine ? end : start];
}

function positionAt(text: string, wanted: number): Position {
  const offset = Math.min(Math.max(wanted, 0), text.length);
  let line = 1;
  let lineStart = 0;
  for (let next = text.indexOf('\n'); next !== -1 && next < offset; next = text.indexOf('\n', lineStart)) {
    line += 1;
    lineStart = next + 1;
  }
  return { line, column: offset - lineStart + 1, offset };
}
