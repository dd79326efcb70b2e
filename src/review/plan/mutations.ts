import type { FilterVocabulary, JsonObject, JsonPrimitive, JsonValue } from '../../contract/index.ts';

/** Values that often break expressions. */
const common: readonly JsonValue[] = [true, false, '', 'x', 0, 1, null, [], {}];

/** Bodies that differ from one in a member that a filter reads, removed or with another value; then in two of them. */
export function* mutations(body: JsonObject, { paths, constants }: FilterVocabulary): Generator<JsonObject> {
  const values = [...near(constants), ...common];
  const single = function* (from: JsonObject, among: readonly (readonly string[])[]): Generator<JsonObject> {
    for (const path of among) {
      for (const value of values) yield setAt(from, path, value);
      yield setAt(from, path, undefined);
    }
  };
  yield* single(body, paths);
  for (const [index, path] of paths.entries()) {
    for (const value of values) yield* single(setAt(body, path, value), paths.slice(index + 1));
  }
}

/** Constants and values close to them. */
function near(constants: readonly JsonPrimitive[]): readonly JsonValue[] {
  const values = constants.flatMap((constant): JsonValue[] => {
    if (typeof constant === 'number') return [constant, constant - 1, constant + 1];
    if (typeof constant === 'string') return [constant, `${constant}x`, constant.toUpperCase(), constant.toLowerCase()];
    return [constant];
  });
  return [...new Set(values)];
}

/** The object with another value at a path; `undefined` removes it. In a list, only the first item changes. */
function setAt(object: JsonObject, [name, ...rest]: readonly string[], value: JsonValue | undefined): JsonObject {
  if (name === undefined) return object;
  const before = Object.hasOwn(object, name) ? object[name] : undefined;
  if (rest.length === 0) {
    const { [name]: _gone, ...others } = object;
    return value === undefined ? others : { ...object, [name]: value };
  }
  if (value === undefined && before === undefined) return object;
  if (Array.isArray(before)) {
    const [first = {}, ...others]: readonly JsonValue[] = before;
    return { ...object, [name]: [setAt(asObject(first), rest, value), ...others] };
  }
  return { ...object, [name]: setAt(asObject(before), rest, value) };
}

function asObject(value: JsonValue | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** The object without one of its members, at every depth, the outermost first. */
export function* withoutEach(object: JsonObject): Generator<JsonObject> {
  for (const name of Object.keys(object)) {
    const { [name]: _gone, ...others } = object;
    yield others;
  }
  for (const [name, value] of Object.entries(object)) {
    if (Array.isArray(value)) {
      for (const index of value.keys()) yield { ...object, [name]: value.toSpliced(index, 1) };
    } else if (typeof value === 'object' && value !== null) {
      for (const smaller of withoutEach(value as JsonObject)) yield { ...object, [name]: smaller };
    }
  }
}
