import { code, table } from './markdown.ts';
import { type SchemaNode, stagePart } from './schema-node.ts';

/**
 * A table of the fields of an object schema, those of objects in it by dotted names.
 * @param root how to get from the page to docs/reference/, e.g. `../`
 */
export function fieldTable(schema: SchemaNode, root: string): string {
  const rows = fieldsOf(schema, '').map(({ path, field, isRequired }) => [
    `\`${path}\``,
    typeOf(field, root),
    defaultOf(field, isRequired),
    meaningOf(field),
  ]);
  return rows.length === 0 ? 'It has none.' : table(['Field', 'Type', 'Default', 'Meaning'], rows);
}

/** The same for an object that is only read: what counts is whether a field is there. */
export function memberTable(schema: SchemaNode): string {
  const rows = fieldsOf(schema, '').map(({ path, field, isRequired }) => [
    `\`${path}\``,
    typeOf(field, ''),
    isRequired ? 'always' : 'sometimes',
    meaningOf(field),
  ]);
  return table(['Member', 'Type', 'Present', 'Meaning'], rows);
}

interface NamedField {
  /** Its dotted name; `[]` stands for each item of a list. */
  readonly path: string;
  readonly field: SchemaNode;
  readonly isRequired: boolean;
}

/** All fields of a schema, and of its alternatives. */
function fieldsOf({ properties = {}, required = [], anyOf = [] }: SchemaNode, prefix: string): readonly NamedField[] {
  const own = Object.entries(properties).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const inner = field.items ? fieldsOf(field.items, `${path}[].`) : fieldsOf(field, `${path}.`);
    return [{ path, field, isRequired: required.includes(name) }, ...inner];
  });
  return [...own, ...anyOf.flatMap((branch) => fieldsOf(branch, prefix))];
}

function meaningOf(field: SchemaNode): string {
  return field.description ?? stagePart(field.$ref)?.description ?? '';
}

function defaultOf(field: SchemaNode, required: boolean): string {
  if (required) return '_required_';
  // An empty object stands for the defaults of its fields, which have rows of their own.
  const isEmpty = JSON.stringify(field.default) === '{}';
  return field.default === undefined || isEmpty ? '' : code(field.default);
}

/** What a field may hold, in words and links. */
function typeOf(field: SchemaNode, root: string): string {
  if (field.$ref !== undefined) return referenced(field, field.$ref, root);
  if (field.const !== undefined) return code(field.const);
  if (field.enum !== undefined) return field.enum.map(code).join(', ');
  if (field.anyOf !== undefined) return [...new Set(field.anyOf.map((branch) => typeOf(branch, root)))].join(' or ');
  const types = field.type === undefined ? ['anything'] : [field.type].flat();
  if (types[0] === 'array') return `list of ${field.items ? typeOf(field.items, root) : 'anything'}`;
  if (types[0] === 'object' && typeof field.additionalProperties === 'object') {
    return `object of ${typeOf(field.additionalProperties, root)}`;
  }
  return types.join(' or ') + rangeOf(field);
}

function referenced(field: SchemaNode, reference: string, root: string): string {
  const [, name = '', part] = /^urn:pullcord:([a-z-]+)(?:#\/definitions\/(.+))?$/.exec(reference) ?? [];
  if (name === 'stage') return part === undefined ? `[stage](${root}stages.md)` : `[${part}](${root}stages.md#${part})`;
  return `[${name}](${root}values.md#${name})${rangeOf(field)}`;
}

function rangeOf(field: SchemaNode): string {
  const from = field.minimum ?? field.minDuration ?? field.minSize;
  const to = field.maximum ?? field.maxDuration ?? field.maxSize;
  if (from !== undefined && to !== undefined) return `, ${from} to ${to}`;
  if (from !== undefined) return `, at least ${from}`;
  return to === undefined ? '' : `, at most ${to}`;
}
