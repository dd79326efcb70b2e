import { fieldTable } from './field-table.ts';
import { code, page } from './markdown.ts';
import { pluginTable } from './plugin-pages.ts';
import { type SchemaNode, stagePart, stageSchema } from './schema-node.ts';

/** How stages are written in YAML, and which plugins there are. */
export function stagePage(): string {
  const { filter, namedFilter, dedup, defaults } = stageSchema.definitions ?? {};
  return page(
    'schemas/source/stage.schema.json',
    '# Stages',
    stageSchema.description ?? '',
    fieldTable(stageSchema, ''),
    'A stage is taken from the trigger, else from the defaults of its project, else from those of the gateway. It is taken as a whole: options of different levels are never mixed.',
    pluginTable(),
    '## filter',
    filter?.description ?? '',
    formsOf(filter),
    'The fields of one filter:',
    namedFilter ? fieldTable(namedFilter, '') : '',
    '## dedup',
    dedup?.description ?? '',
    formsOf(dedup),
    '## defaults',
    defaults?.description ?? '',
    defaults ? fieldTable(defaults, '') : '',
  );
}

function formsOf(schema: SchemaNode | undefined): string {
  const forms = (schema?.anyOf ?? []).map(({ type, description, $ref }) => {
    const form = type === undefined ? 'object' : type === 'array' ? 'list' : 'text';
    return `- ${form}: ${description ?? stagePart($ref)?.description ?? ''}`;
  });
  const examples = (schema?.examples ?? []).map(code).join(', ');
  return `${forms.join('\n')}\n\nFor example: ${examples}`;
}
