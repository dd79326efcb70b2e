import { stageSchema } from '../../src/config/document-schemas.ts';

/** What stands for a secret: the reference to it, or its value. */
export type SecretForm = 'reference' | 'value';

interface SchemaNode {
  readonly [keyword: string]: unknown;
}

/**
 * Makes of a schema of what is written one of what validation gives: secrets, durations and sizes as they are passed
 * on, and required what has a default.
 */
export function typeSchema(schema: object, secrets: SecretForm): SchemaNode {
  const { $ref, $id, $schema, ...rest }: SchemaNode = Object.fromEntries(Object.entries(schema));
  if (typeof $ref === 'string') return reference($ref, rest, secrets);
  const isFree = rest.type === 'object' && rest.properties === undefined && rest.additionalProperties === undefined;
  if (isFree && secrets === 'reference') return { description: rest.description, tsType: 'JsonObject' };
  if (saysNothing(rest) && secrets === 'reference') return { description: rest.description, tsType: 'JsonValue' };
  const node: Record<string, unknown> = Object.fromEntries(
    Object.entries(rest).map(([keyword, value]) => [keyword, convert(keyword, value, secrets)]),
  );
  // A list of at most so many would become a union of as many tuples.
  delete node.maxItems;
  if (!isNode(node.properties)) return node;
  const required = requiredOf(rest);
  return { ...node, required, properties: withoutOptionalTuples(node.properties, required) };
}

/** Whether any value will do. */
function saysNothing(schema: SchemaNode): boolean {
  return Object.keys(schema).every((keyword) => ['description', 'examples'].includes(keyword));
}

/** A list that must be there and have an item is a tuple; where it may be left out that would only be in the way. */
function withoutOptionalTuples(properties: SchemaNode, required: readonly string[]): SchemaNode {
  return Object.fromEntries(
    Object.entries(properties).map(([name, one]) => {
      if (!isNode(one) || required.includes(name)) return [name, one];
      const { minItems, ...rest } = one;
      return [name, rest];
    }),
  );
}

function reference($ref: string, { description }: SchemaNode, secrets: SecretForm): SchemaNode {
  switch ($ref) {
    case 'urn:pullcord:secret':
      return secrets === 'value' ? { description, type: 'string' } : { description, tsType: 'SecretReference' };
    case 'urn:pullcord:duration':
      return { description: `${description ?? ''} In milliseconds.`.trim(), type: 'number' };
    case 'urn:pullcord:size':
      return { description: `${description ?? ''} In bytes.`.trim(), type: 'number' };
    case 'urn:pullcord:stage':
      return { $ref: `#/definitions/${stageSchema.title}` };
    default:
      return { $ref: `#/definitions/${titles.get($ref) ?? $ref.replace('#/definitions/', '')}` };
  }
}

const titles: ReadonlyMap<string, string> = new Map(
  Object.entries(stageSchema.definitions).map(([name, { title }]) => [
    `urn:pullcord:stage#/definitions/${name}`,
    title,
  ]),
);

function convert(keyword: string, value: unknown, secrets: SecretForm): unknown {
  if (['properties', 'patternProperties', 'definitions'].includes(keyword) && isNode(value))
    return Object.fromEntries(
      Object.entries(value).map(([name, one]) => [name, isNode(one) ? typeSchema(one, secrets) : one]),
    );
  if (['anyOf', 'oneOf', 'allOf'].includes(keyword) && Array.isArray(value))
    return value.map((one) => (isNode(one) ? typeSchema(one, secrets) : one));
  if (['items', 'additionalProperties'].includes(keyword) && isNode(value)) return typeSchema(value, secrets);
  return value;
}

function requiredOf({ properties, required }: SchemaNode): readonly string[] {
  const named = Array.isArray(required) ? required : [];
  const defaulted = Object.entries(isNode(properties) ? properties : {}).filter(
    ([, one]) => isNode(one) && 'default' in one,
  );
  return [...new Set([...named, ...defaulted.map(([name]) => name)])];
}

function isNode(value: unknown): value is SchemaNode {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
