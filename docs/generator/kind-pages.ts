import triggerBody from '../../schemas/source/trigger-body.schema.json' with { type: 'json' };
import { documentSchemas } from '../../src/config/document-schemas.ts';
import { exampleOf } from './example.ts';
import { fieldTable } from './field-table.ts';
import { page, yamlBlock } from './markdown.ts';
import type { SchemaNode } from './schema-node.ts';

export interface KindEntry {
  /** File name in docs/reference/. */
  readonly file: string;
  readonly kind: string;
  readonly schema: SchemaNode;
  /** Fields that the example shows. */
  readonly shown: readonly string[];
  /** Where such a file lies by convention. */
  readonly path: string;
}

/** The kinds of config files, in the order in which one writes them. */
export const kinds: readonly KindEntry[] = [
  {
    file: 'gateway.md',
    kind: 'Gateway',
    schema: documentSchemas.Gateway,
    shown: ['organization', 'server', 'admin', 'triggerKeys', 'defaults'],
    path: 'config/gateway.yaml',
  },
  {
    file: 'api-key.md',
    kind: 'ApiKey',
    schema: documentSchemas.ApiKey,
    shown: ['id', 'name', 'secrets', 'permissions', 'projects', 'status'],
    path: 'config/keys/website.yaml',
  },
  {
    file: 'project.md',
    kind: 'Project',
    schema: documentSchemas.Project,
    shown: ['id', 'name', 'language', 'defaults'],
    path: 'config/projects/support/project.yaml',
  },
  {
    file: 'trigger.md',
    kind: 'Trigger',
    schema: documentSchemas.Trigger,
    shown: ['project', 'name', 'key', 'status', 'filter', 'dedup', 'run'],
    path: 'config/projects/support/triggers/refund-request.yaml',
  },
  {
    file: 'trigger-test.md',
    kind: 'TriggerTest',
    schema: documentSchemas.TriggerTest,
    shown: ['project', 'trigger', 'tests'],
    path: 'config/projects/support/triggers/refund-request.test.yaml',
  },
  {
    file: 'alert-test.md',
    kind: 'AlertTest',
    schema: documentSchemas.AlertTest,
    shown: ['alert', 'tests'],
    path: 'config/alerts.test.yaml',
  },
  {
    file: 'prices.md',
    kind: 'Prices',
    schema: documentSchemas.Prices,
    shown: ['currency', 'default', 'models'],
    path: 'config/prices.yaml',
  },
];

export function kindPage({ file, kind, schema, shown, path }: KindEntry): string {
  const source = `schemas/source/${file.replace('.md', '.schema.json')}`;
  return page(
    source,
    `# \`kind: ${kind}\``,
    schema.description ?? '',
    '## Example',
    yamlBlock({ version: 1, kind, ...exampleOf(schema, shown) }, path),
    '## Fields',
    'Other fields are errors.',
    fieldTable(schema, ''),
  );
}

export function bodyPage(): string {
  const schema: SchemaNode = triggerBody;
  const example = exampleOf(schema, Object.keys(triggerBody.properties));
  return page(
    'schemas/source/trigger-body.schema.json',
    '# The body of a request',
    'A JSON object, or no body at all. The fields below are checked; any others pass through to filters and agent unchanged.',
    `\`\`\`json\n${JSON.stringify(example, undefined, 2)}\n\`\`\``,
    fieldTable(schema, ''),
  );
}
