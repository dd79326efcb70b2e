import { type Plugin, type Stage, stages } from '../../src/contract/index.ts';
import type { EngineDefinition } from '../../src/engine/definition.ts';
import { engines } from '../../src/engine/index.ts';
import { builtinRegistry } from '../../src/host/builtins.ts';
import { exampleOptions } from './example.ts';
import { fieldTable } from './field-table.ts';
import { page, table, yamlBlock } from './markdown.ts';
import type { SchemaNode } from './schema-node.ts';

const builtinPlugins = await builtinRegistry().list();

/** The pages of all built-in plugins and engines, by their file names in docs/reference/. */
export function pluginPages(): [string, string][] {
  const ofPlugins = builtinPlugins.map((plugin): [string, string] => [
    fileOf(plugin.stage, plugin.name),
    pluginPage(plugin),
  ]);
  const ofEngines = [...engines.values()].map((engine): [string, string] => [
    fileOf('engine', engine.name),
    enginePage(engine),
  ]);
  return [...ofPlugins, ...ofEngines];
}

/** A table of all built-in plugins and engines, with links. */
export function pluginTable(): string {
  const link = (stage: string, name: string) => `[\`${name}\`](${fileOf(stage, name)})`;
  const ofPlugins = stages.flatMap((stage) =>
    ofStage(stage).map(({ name, summary }) => [stage, link(stage, name), summary]),
  );
  const ofEngines = [...engines.values()].map(({ name, summary }) => ['engine', link('engine', name), summary]);
  return table(['Stage', '`uses:`', 'What it does'], [...ofPlugins, ...ofEngines]);
}

function ofStage(stage: Stage): readonly Plugin[] {
  return builtinPlugins.filter((plugin) => plugin.stage === stage);
}

function fileOf(stage: string, name: string): string {
  return `plugins/${stage}-${name}.md`;
}

function pluginPage({ stage, name, summary, optionsSchema }: Plugin): string {
  const schema: SchemaNode = optionsSchema;
  const options = exampleOptions(schema);
  const { path, document } = exampleUse(stage, { uses: name, ...(options && { with: options }) });
  return page(
    `plugins/${stage}/${name}/`,
    `# ${stage}: \`${name}\``,
    summary,
    '## Example',
    yamlBlock(document, path),
    '## Options',
    schema.description ?? '',
    fieldTable(schema, '../'),
  );
}

/** Run plugins are mostly shared by the triggers of a project, others belong to one trigger. */
function exampleUse(stage: Stage, use: object): { path: string; document: object } {
  if (stage === 'run') {
    const document = { version: 1, kind: 'Project', id: 'support', defaults: { run: use } };
    return { path: 'config/projects/support/project.yaml', document };
  }
  const part = stage === 'filter' ? { filter: [{ name: 'for the agent', ...use }] } : { [stage]: use };
  const document = { version: 1, kind: 'Trigger', project: 'support', key: 'ask', ...part, run: { uses: 'echo' } };
  return { path: 'config/projects/support/triggers/ask.yaml', document };
}

function enginePage({ name, summary, optionsSchema }: EngineDefinition): string {
  const schema: SchemaNode = optionsSchema;
  const options = exampleOptions(schema);
  const engine = { uses: name, ...(options && { with: options }) };
  return page(
    `src/engine/${name}/`,
    `# engine: \`${name}\``,
    summary,
    '## Example',
    yamlBlock({ version: 1, kind: 'Gateway', organization: 'acme', engine }, 'config/gateway.yaml'),
    '## Options',
    schema.description ?? '',
    fieldTable(schema, '../'),
  );
}
