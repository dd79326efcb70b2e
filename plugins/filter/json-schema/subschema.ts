import type { AnySchema, AnySchemaObject } from 'ajv';
import type { RE2JS } from 're2js';
import { compilePattern } from './linear-pattern.ts';
import type { Draft, References } from './references.ts';
import { isObject } from './vocabulary.ts';

/** A subschema as a node of a graph: what it applies to the same value, to members and to items; and what it costs. */
export interface Subschema {
  /** JSON pointer into the schema. */
  readonly pointer: string;
  readonly cost: Cost;
  readonly same: readonly AnySchemaObject[];
  readonly members: {
    readonly named: ReadonlyMap<string, AnySchema>;
    readonly patterns: readonly { readonly pattern: RE2JS; readonly schema: AnySchema }[];
    /** For the members that neither names nor patterns match. */
    readonly others: readonly AnySchema[];
    /** For any member. */
    readonly all: readonly AnySchema[];
    /** For the names of members. */
    readonly names: readonly AnySchema[];
  };
  readonly items: {
    readonly first: readonly AnySchema[];
    readonly others: readonly AnySchema[];
    /** For any item. */
    readonly all: readonly AnySchema[];
  };
}

/** Units of work of one visit. */
export interface Cost {
  readonly perValue: number;
  /** For each member or item of the value. */
  readonly perMember: number;
  /** For each character of a string. */
  readonly perCharacter: number;
}

/** The schema cannot be analysed: what it applies is decided during evaluation. */
export class Unanalysable extends Error {}

/** The keywords of both drafts, so that a schema costs at most what is computed for it. Throws an Unanalysable. */
export function readSubschema(schema: AnySchemaObject, references: References): Subschema {
  const { draft } = references;
  const pointer = references.pointerOf(schema);
  const properties = membersOf(schema.properties);
  const patterns = membersOf(schema.patternProperties).map(([source, part]) => ({
    pattern: compilePattern(source, 'u'),
    schema: part,
  }));
  const tuple = draft === 'draft-07' ? schema.items : schema.prefixItems;
  const first = Array.isArray(tuple) ? tuple.filter(isSchema) : [];
  const rest = draft === 'draft-07' && Array.isArray(tuple) ? schema.additionalItems : schema.items;
  return {
    pointer,
    cost: costOf(schema, draft),
    same: sameValue(schema, pointer, references),
    members: {
      named: new Map(properties),
      patterns,
      others: schemasIn(schema.additionalProperties),
      all: schemasIn(schema.unevaluatedProperties),
      names: schemasIn(schema.propertyNames),
    },
    items: {
      first,
      others: schemasIn(rest),
      all: [...schemasIn(schema.contains), ...schemasIn(schema.unevaluatedItems)],
    },
  };
}

const applying = ['allOf', 'anyOf', 'oneOf', 'not', 'if', 'then', 'else'];

function sameValue(schema: AnySchemaObject, pointer: string, references: References): readonly AnySchemaObject[] {
  if (references.draft === '2020-12' && schema.$dynamicRef !== undefined)
    throw new Unanalysable(`/schema${pointer}/$dynamicRef is resolved during validation`);
  const applied = [
    ...applying.flatMap((keyword) => [schema[keyword]].flat()),
    ...[schema.dependencies, schema.dependentSchemas].flatMap((named) => membersOf(named).map(([, part]) => part)),
  ];
  if (typeof schema.$ref === 'string') {
    const target = references.resolve(schema, schema.$ref);
    if (target === undefined) throw new Unanalysable(`/schema${pointer}/$ref refers to ${schema.$ref}`);
    applied.push(target);
  }
  return applied.filter(isObject);
}

function costOf(schema: AnySchemaObject, draft: Draft): Cost {
  const constants = [schema.enum, 'const' in schema ? [schema.const] : []].flatMap((list) => list ?? []);
  const listed = [
    schema.properties,
    schema.dependencies,
    schema.dependentRequired,
    schema.dependentSchemas,
    schema.required,
  ];
  const compared = listed.reduce((sum: number, value) => sum + sizeOf(value), 0) + sizeOf(constants);
  const searches = [schema.additionalProperties, schema.unevaluatedProperties, schema.patternProperties];
  const counts = [
    schema.minProperties,
    schema.maxProperties,
    schema.propertyNames,
    schema.uniqueItems,
    schema.contains,
  ];
  return {
    perValue: 1 + compared / 4,
    perMember:
      searches.filter(isPresent).length +
      sizeOf(schema.patternProperties) / 4 +
      counts.filter(isPresent).length +
      // The names of the members that are evaluated are merged.
      (draft === '2020-12' ? [...applying, '$ref'].flatMap((keyword) => schema[keyword] ?? []).length : 0) +
      // A comparison with an object lists the names of the value.
      constants.filter((value) => typeof value === 'object' && value !== null).length,
    perCharacter: [schema.minLength, schema.maxLength].filter(isPresent).length / 16,
  };
}

/** How many values a value consists of. */
function sizeOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return value === undefined ? 0 : 1;
  return Object.values(value).reduce((sum: number, member) => sum + sizeOf(member), 1);
}

function isPresent(value: unknown): boolean {
  return value !== undefined;
}

function membersOf(value: unknown): [string, AnySchema][] {
  return isObject(value)
    ? Object.entries(value).filter((entry): entry is [string, AnySchema] => isSchema(entry[1]))
    : [];
}

function schemasIn(value: unknown): readonly AnySchema[] {
  return isSchema(value) ? [value] : [];
}

function isSchema(value: unknown): value is AnySchema {
  return typeof value === 'boolean' || isObject(value);
}
