import { type JsonValue, pointerSegments, type RunOrigin, type TriggerInput } from '../../contract/index.ts';
import { holdsJson, isIndex } from '../../contract/mask-rules.ts';
import type { NewRun } from '../types/index.ts';

/** Replaces a masked value. */
const masked = '***';

/**
 * The run as it may be stored: with the values at the pointers of its policy masked, and without the members of its event that
 * were read from there. The same object if there are none.
 */
export function maskRun(run: NewRun): NewRun {
  const { mask } = run.policy;
  if (mask.length === 0) return run;
  const hidden: JsonValue[] = [];
  const input = maskAt(run.input, mask.map(pointerSegments), 0, hidden);
  // A masked input is still a TriggerInput: its members that must be strings are replaced by a string.
  if (input === run.input) return run;
  return {
    ...run,
    // It may be what is masked.
    concurrencyValue: undefined,
    input: input as TriggerInput,
    origin: run.origin && withoutText(withoutEventIn(hidden, run.origin)),
  };
}

/** An event's member has the value of the place in the body that it was read from, wherever that is. */
function withoutEventIn(hidden: readonly JsonValue[], origin: RunOrigin): RunOrigin {
  const members = Object.entries(origin.event);
  if (members.length === 0) return origin;
  const values = new Set<string>();
  const numbers = new Set<number>();
  const stack = [...hidden];
  for (let value = stack.pop(); value !== undefined; value = stack.pop()) {
    // The event may have digits that a number has lost.
    if (typeof value === 'number') numbers.add(value);
    else if (typeof value !== 'object') values.add(String(value));
    else if (value !== null) for (const member of Object.values(value)) stack.push(member);
  }
  return {
    ...origin,
    event: Object.fromEntries(members.filter(([, value]) => !values.has(value) && !numbers.has(Number(value)))),
  };
}

/** The text of a foreign body repeats what is masked. */
function withoutText({ body, ...origin }: RunOrigin): RunOrigin {
  return body === undefined ? origin : { ...origin, body: { fields: body.fields } };
}

type Path = readonly string[];

/**
 * The value with those at the paths replaced, from the segment at `depth` on; the same value if there are none. An object or
 * array is copied once for all paths through it, since each copy takes as long as it is large.
 * @param hidden gets the values that are replaced
 */
function maskAt(value: JsonValue, paths: readonly Path[], depth: number, hidden: JsonValue[]): JsonValue {
  if (paths.some(({ length }) => length === depth)) {
    hidden.push(value);
    return masked;
  }
  if (typeof value === 'string' && paths.length > 0 && holdsJson(value)) {
    hidden.push(value);
    return masked;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return maskItems(value, paths, depth, hidden);
  let copy: Record<string, JsonValue> | undefined;
  for (const [name, through] of Map.groupBy(paths, (path) => path[depth] ?? '')) {
    if (!Object.hasOwn(value, name)) continue;
    const before = Reflect.get(value, name) as JsonValue;
    const after = maskAt(before, through, depth + 1, hidden);
    if (after === before) continue;
    copy ??= { ...(value as Record<string, JsonValue>) };
    copy[name] = after;
  }
  return (copy as JsonValue | undefined) ?? value;
}

/** A path that has no index leads into each item. */
function maskItems(
  list: readonly JsonValue[],
  paths: readonly Path[],
  depth: number,
  hidden: JsonValue[],
): readonly JsonValue[] {
  const named = paths.filter((path) => !isIndex(path[depth] ?? ''));
  const indexed = Map.groupBy(
    paths.filter((path) => isIndex(path[depth] ?? '')),
    (path) => Number(path[depth]),
  );
  if (named.length === 0) return maskIndexed(list, indexed, depth, hidden);
  let isMasked = false;
  const items = list.map((item, index) => {
    const through = indexed.get(index);
    const before = through === undefined ? item : maskAt(item, through, depth + 1, hidden);
    const after = maskAt(before, named, depth, hidden);
    isMasked ||= after !== item;
    return after;
  });
  return isMasked ? items : list;
}

function maskIndexed(
  list: readonly JsonValue[],
  indexed: ReadonlyMap<number, readonly Path[]>,
  depth: number,
  hidden: JsonValue[],
): readonly JsonValue[] {
  let copy: JsonValue[] | undefined;
  for (const [index, through] of indexed) {
    const item = list[index];
    if (item === undefined) continue;
    const after = maskAt(item, through, depth + 1, hidden);
    if (after === item) continue;
    copy ??= [...list];
    copy[index] = after;
  }
  return copy ?? list;
}
