import type { FilterVocabulary, JsonPrimitive } from '../../../src/contract/index.ts';

/** Keywords whose value is a constant to compare with, or a list of constants. */
const comparing: ReadonlySet<string> = new Set([
  ...['enum', 'const', 'minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  ...['minLength', 'maxLength', 'minItems', 'maxItems'],
]);
/** Keywords whose schemas apply to the same value, or to its items. */
const applying = ['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else', 'items', 'contains'];
const mostPaths = 100;

/** The members that a schema mentions, and the values that it compares them with. References are not followed. */
export function vocabularyOf(schema: unknown): FilterVocabulary {
  const words = new Words();
  words.collect(schema, []);
  return { paths: words.paths, constants: [...words.constants] };
}

class Words {
  readonly paths: (readonly string[])[] = [];
  readonly constants = new Set<JsonPrimitive>();

  collect(schema: unknown, path: readonly string[]): void {
    if (!isObject(schema)) return;
    const { properties, required } = schema;
    const members = isObject(properties) ? properties : {};
    for (const name of new Set([...Object.keys(members), ...(Array.isArray(required) ? required.map(String) : [])])) {
      const inner = [...path, name];
      if (this.paths.length < mostPaths && !this.#has(inner)) this.paths.push(inner);
      this.collect(members[name], inner);
    }
    for (const keyword of applying) for (const part of [schema[keyword]].flat()) this.collect(part, path);
    for (const keyword of comparing) {
      for (const value of [schema[keyword]].flat()) if (isPrimitive(value)) this.constants.add(value);
    }
  }

  #has(path: readonly string[]): boolean {
    return this.paths.some((known) => JSON.stringify(known) === JSON.stringify(path));
  }
}

function isPrimitive(value: unknown): value is JsonPrimitive {
  return value === null || ['string', 'number', 'boolean'].includes(typeof value);
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
