import type { JsonObject, JsonValue, TriggerInput } from '../../contract/index.ts';
import type { NewRun } from '../types/index.ts';

/** Replaces a masked value. */
const masked = '***';

/** The run as it may be stored: with the values at the pointers of its policy masked. The same object if there are none. */
export function maskRun(run: NewRun): NewRun {
  const { mask } = run.policy;
  if (mask.length === 0) return run;
  const input = mask.reduce<JsonValue>((value, pointer) => maskAt(value, segmentsOf(pointer)), run.input);
  // A masked input is still a TriggerInput: its members that must be strings are replaced by a string.
  return input === run.input ? run : { ...run, input: input as TriggerInput };
}

/** The value with the one at the path replaced; the same value if there is none. */
function maskAt(value: JsonValue, [name, ...rest]: readonly string[]): JsonValue {
  if (name === undefined) return masked;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const index = /^(0|[1-9][0-9]{0,9})$/.test(name) ? Number(name) : -1;
    return index in value ? value.with(index, maskAt(value[index] ?? null, rest)) : value;
  }
  const object = value as JsonObject;
  if (!Object.hasOwn(object, name)) return value;
  const before = object[name] ?? null;
  const after = maskAt(before, rest);
  return after === before ? value : { ...object, [name]: after };
}

/** RFC 6901 §4. */
function segmentsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
}
