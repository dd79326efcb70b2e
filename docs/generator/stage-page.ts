import { inheritedSettings } from '../../src/config/stages.ts';
import { stages } from '../../src/contract/index.ts';
import { fieldTable } from './field-table.ts';
import { code, page } from './markdown.ts';
import { pluginTable } from './plugin-pages.ts';
import { type SchemaNode, stagePart, stageSchema } from './schema-node.ts';

/** The parts of triggers that have a section, as the field tables link to them. */
const parts = [...stages, ...inheritedSettings, 'limits', 'recording', 'tests', 'defaults'] as const;

/** How stages are written in YAML, and which plugins there are. */
export function stagePage(): string {
  return page(
    'schemas/source/stage.schema.json',
    '# Stages',
    stageSchema.description ?? '',
    fieldTable(stageSchema, ''),
    'A stage is taken from the trigger, else from the defaults of its project, else from those of the gateway. It is taken as a whole: options of different levels are never mixed.',
    pluginTable(),
    ...parts.flatMap((name) => sectionOf(name, stageSchema.definitions?.[name] ?? {})),
  );
}

function sectionOf(name: string, schema: SchemaNode): readonly string[] {
  const one = itemOf(schema);
  return [
    `## ${name}`,
    schema.description ?? '',
    ...(schema.anyOf === undefined ? [] : [formsOf(schema.anyOf)]),
    ...examplesOf(schema),
    ...(one === undefined ? [] : [`The fields of one ${name.replace(/s$/, '')}:`, fieldTable(one, '')]),
    ...(hasFields(schema) ? [fieldTable(schema, '')] : []),
  ];
}

/** What a list is made of, or what stands for a list of one. */
function itemOf({ items, anyOf = [] }: SchemaNode): SchemaNode | undefined {
  const lists = [items, ...anyOf.map((branch) => branch.items)];
  return lists.map((item) => stagePart(item?.$ref)).find((part) => part !== undefined);
}

function hasFields({ properties, anyOf = [] }: SchemaNode): boolean {
  return properties !== undefined || anyOf.some(hasFields);
}

function formsOf(forms: readonly SchemaNode[]): string {
  const lines = forms.map(({ type, description, $ref }) => {
    const form = type === undefined || type === 'object' ? 'object' : type === 'array' ? 'list' : 'text';
    return `- ${form}: ${description ?? stagePart($ref)?.description ?? ''}`;
  });
  return lines.join('\n');
}

function examplesOf({ examples = [] }: SchemaNode): readonly string[] {
  return examples.length === 0 ? [] : [`For example: ${examples.map(code).join(', ')}`];
}
