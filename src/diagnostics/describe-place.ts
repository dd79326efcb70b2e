import { locate } from './locate.ts';
import type { Place } from './problem.ts';
import type { Sources } from './source.ts';

/** A place in fewer words: `file:line`. */
export function describeLine(place: Place, sources: Sources): string {
  const source = sources.get(place.file);
  return source === undefined ? place.file : `${place.file}:${locate(source, place).start.line}`;
}

/** A place in words: `file:line:col`, or the file alone where its text is not at hand. */
export function describePlace(place: Place, sources: Sources): string {
  const source = sources.get(place.file);
  if (source === undefined) return place.file;
  const { line, column } = locate(source, place).start;
  return `${place.file}:${line}:${column}`;
}
