import { type JsonValue, pointerSegments, type TriggerInput } from '../../contract/index.ts';
import type { NewRun } from '../types/index.ts';

/** Replaces a masked value. */
const masked = '***';

/** The run as it may be stored: with the values at the pointers of its policy masked. The same object if there are none. */
export function maskRun(run: NewRun): NewRun {
  const { mask } = run.policy;
  if (mask.length === 0) return run;
  const input = maskAt(run.input, mask.map(pointerSegments), 0);
  // A masked input is still a TriggerInput: its members that must be strings are replaced by a string.
  return input === run.input ? run : { ...run, input: input as TriggerInput };
}

type Path = readonly string[];

/**
 * The value with those at the paths replaced, from the segment at `depth` on; the same value if there are none. An object or
 * array is copied once for all paths through it, since each copy takes as long as it is large.
 */
function maskAt(value: JsonValue, paths: readonly Path[], depth: number): JsonValue {
  if (paths.some(({ length }) => length === depth)) return masked;
  if (typeof value !== 'object' || value === null) return value;
  let copy: Record<string, JsonValue> | undefined;
  for (const [name, through] of Map.groupBy(paths, (path) => path[depth] ?? '')) {
    if (!isMember(value, name)) continue;
    const before = Reflect.get(value, name) as JsonValue;
    const after = maskAt(before, through, depth + 1);
    if (after === before) continue;
    copy ??= (Array.isArray(value) ? [...value] : { ...value }) as Record<string, JsonValue>;
    copy[name] = after;
  }
  return (copy as JsonValue | undefined) ?? value;
}

function isMember(value: object, name: string): boolean {
  return (!Array.isArray(value) || /^(0|[1-9][0-9]{0,9})$/.test(name)) && Object.hasOwn(value, name);
}
