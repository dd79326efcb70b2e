import type { Node } from '../node.ts';

/** A name as it stands in the source, without quotes or backticks. */
export interface BareName {
  readonly name: string;
  readonly offset: number;
}

/** The name of a node if it is written without quotes and backticks; undefined otherwise. */
export function bareName(source: string, { type, value, position }: Node): BareName | undefined {
  if (type !== 'name' || typeof value !== 'string' || position === undefined) return undefined;
  const offset = position - value.length;
  return source.startsWith(value, offset) ? { name: value, offset } : undefined;
}

/** Where a name begins, with its quote or backtick. */
export function offsetOfName(source: string, { value, position = 0 }: Node): number {
  const length = String(value).length;
  const start = position - length;
  return source.startsWith(String(value), start) ? start : Math.max(0, position - length - 2);
}

/** A member as a path reads it: in backticks if its name needs them. */
export function memberNamed(name: string): string {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) ? name : `\`${name}\``;
}
