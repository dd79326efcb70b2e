import { type JsonObject, type JsonValue, valueAtPointer } from '../../contract/index.ts';
import { canonicalExpression } from './expression-tokens.ts';

/**
 * Returns valid options with what their schema says is notation alone removed: the order of lists whose items are unique,
 * which are sets, and the white space of expressions (`contentMediaType: application/jsonata`).
 */
export function canonicalOptions(options: JsonValue, schema: object): JsonValue {
  return canonical(options, [schema as JsonObject], schema as JsonObject);
}

function canonical(value: JsonValue, schemas: readonly JsonObject[], root: JsonObject): JsonValue {
  const applied = schemas.flatMap((schema) => flattened(schema, root));
  if (typeof value === 'string') {
    return applied.some(({ contentMediaType }) => contentMediaType === 'application/jsonata')
      ? canonicalExpression(value)
      : value;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    const ofItems = schemasAt(applied, 'items');
    const items = value.map((item: JsonValue) => canonical(item, ofItems, root));
    return applied.some(({ uniqueItems }) => uniqueItems === true) ? sorted(items) : items;
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const declared = applied.flatMap(({ properties, additionalProperties }) => {
        const own = isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
        return isObject(own) ? [own] : [];
      });
      return [name, canonical(member, declared, root)];
    }),
  );
}

/** A schema with those that it applies to the same value. */
function flattened(schema: JsonObject, root: JsonObject, depth = 0): readonly JsonObject[] {
  if (depth > 16) return [];
  const parts = ['anyOf', 'oneOf', 'allOf'].flatMap((keyword) => schema[keyword] ?? []).filter(isObject);
  const referred = typeof schema.$ref === 'string' ? [atPointer(root, schema.$ref)].filter(isObject) : [];
  return [schema, ...[...parts, ...referred].flatMap((part) => flattened(part, root, depth + 1))];
}

/**
 * References to other documents, such as `urn:pullcord:duration`, were resolved when the options were validated. One within
 * the document is a JSON pointer in a URI fragment, so it is percent-encoded.
 */
function atPointer(root: JsonObject, reference: string): unknown {
  if (reference !== '#' && !reference.startsWith('#/')) return undefined;
  return valueAtPointer(root, decoded(reference.slice(1)));
}

/** A fragment that is not valid percent-encoding as it is. */
function decoded(fragment: string): string {
  try {
    return decodeURIComponent(fragment);
  } catch {
    return fragment;
  }
}

function schemasAt(schemas: readonly JsonObject[], keyword: string): readonly JsonObject[] {
  return schemas.map((schema) => schema[keyword]).filter(isObject);
}

/** A list whose order has no meaning, in an order of its own. */
export function sorted<T extends JsonValue>(items: readonly T[]): T[] {
  const keyed = items.map((item): [string, T] => [JSON.stringify(item), item]);
  return keyed.sort(([one], [other]) => (one < other ? -1 : 1)).map(([, item]) => item);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
