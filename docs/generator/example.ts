import { type SchemaNode, stagePart } from './schema-node.ts';

/** The first example of each of these fields, by name; a field without any is left out. */
export function exampleOf(schema: SchemaNode, names: readonly string[]): Record<string, unknown> {
  const fields = names.map((name) => [name, firstExample(schema.properties?.[name])] as const);
  return Object.fromEntries(fields.filter(([, example]) => example !== undefined));
}

/** Example options of a plugin or engine: those it needs, or the first one where it needs none. */
export function exampleOptions(schema: SchemaNode): object | undefined {
  const [whole] = schema.examples ?? [];
  const [first] = Object.keys(schema.properties ?? {});
  const names = schema.required ?? (first === undefined ? [] : [first]);
  const options = typeof whole === 'object' && whole !== null ? whole : exampleOf(schema, names);
  return Object.keys(options).length === 0 ? undefined : options;
}

function firstExample(field: SchemaNode | undefined): unknown {
  if (field === undefined) return undefined;
  return field.const ?? field.examples?.[0] ?? stagePart(field.$ref)?.examples?.[0];
}
