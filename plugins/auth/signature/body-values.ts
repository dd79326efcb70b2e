import { scalarFinder } from '../json-values.ts';
import type { BodySource } from './source.ts';

/** Returns the scalar at a place of one body; undefined if there is none, or more than one. */
export type BodyValues = (source: BodySource) => string | undefined;

/** Returns what reads the values at some places of a body: all of them in one pass, as soon as one is needed. */
export function bodyReader(sources: readonly BodySource[]): (body: Uint8Array) => BodyValues {
  const paths = new Map(sources.map(({ pointer, path }) => [pointer, path]));
  const pointers = [...paths.keys()];
  const find = scalarFinder([...paths.values()]);
  return (body) => {
    let all: ReturnType<typeof find> | undefined;
    return ({ pointer }) => {
      all ??= find(body);
      const found = all[pointers.indexOf(pointer)];
      return found?.length === 1 ? found[0] : undefined;
    };
  };
}
