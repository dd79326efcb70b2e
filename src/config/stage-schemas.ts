import { type Stage, stages } from '../contract/index.ts';
import { type DefaultsLevel, descriptorOf, inheritedSettings } from './stages.ts';

interface SchemaNode {
  readonly [keyword: string]: unknown;
}

const stageUrn = 'urn:pullcord:stage';

/**
 * Replaces `"$inherited": { "level": … }` among the properties of a hand-written schema by the stages and settings that
 * may be written at that level.
 */
export function withInherited<Schema extends object>(schema: Schema): Schema {
  return expand(schema) as Schema;
}

/** Completes the definition of each stage by its forms: a string, one use of a plugin, a list of uses. */
export function withStageForms<Schema extends { readonly definitions: object }>(schema: Schema): Schema {
  const definitions: SchemaNode = { ...schema.definitions };
  const completed = stages.map((stage) => [stage, { ...Object(definitions[stage]), ...formsOf(stage, schema) }]);
  return { ...schema, definitions: { ...definitions, ...Object.fromEntries(completed) } };
}

function expand(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(expand);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]): [string, unknown][] =>
      name === '$inherited' ? inheritedFields(Object(member).level) : [[name, expand(member)]],
    ),
  );
}

type Level = 'trigger' | DefaultsLevel;

function inheritedFields(level: Level): [string, SchemaNode][] {
  const ofStages = stages.filter((stage) => level === 'trigger' || descriptorOf(stage).inheritsFrom.includes(level));
  return [...ofStages, ...inheritedSettings].map((name) => {
    const fallback = level === 'gateway' && isStage(name) ? descriptorOf(name).default : undefined;
    const field = { $ref: `${stageUrn}#/definitions/${name}`, ...(fallback && { default: fallback }) };
    return [name, field];
  });
}

function formsOf(stage: Stage, schema: { readonly definitions: object }): SchemaNode {
  const { many, short } = descriptorOf(stage);
  const definition: SchemaNode = Object(Reflect.get(schema.definitions, stage));
  const use = useOf(stage, schema.definitions);
  // A use with fields of its own is written out in the source.
  if (many === undefined && short === undefined) return 'properties' in definition ? {} : use;
  const list = many && {
    description:
      many.decides === 'first' ? 'Several, asked in this order.' : `Several ${stage}s, evaluated in this order.`,
    type: 'array',
    ...(many.atLeast > 0 && { minItems: many.atLeast }),
    maxItems: many.atMost,
    ...(many.decides === 'first' && { uniqueItems: true }),
    items: use,
  };
  return { anyOf: [...(short === undefined ? [] : [shortForm(stage, definition)]), use, ...(list ? [list] : [])] };
}

function useOf(stage: Stage, definitions: object): SchemaNode {
  const own = `${stage}Use`;
  return own in definitions ? { $ref: `${stageUrn}#/definitions/${own}` } : { $ref: stageUrn, pullcordStage: stage };
}

function shortForm(stage: Stage, { examples }: SchemaNode): SchemaNode {
  const { short } = descriptorOf(stage);
  if (typeof short === 'object') {
    const { uses, option } = short;
    const description = `One ${uses} ${option}: short for \`{ uses: ${uses}, with: { ${option}: … } }\`.`;
    return { description, type: 'string', minLength: 1 };
  }
  return {
    description: `Name of the ${stage} plugin: short for \`{ uses: … }\`.`,
    type: 'string',
    pullcordStage: stage,
    pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
    maxLength: 64,
    examples: Array.isArray(examples) ? examples.filter((example) => typeof example === 'string') : [],
  };
}

function isStage(name: string): name is Stage {
  return stages.some((stage) => stage === name);
}
