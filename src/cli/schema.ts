import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Argument, type Command, InvalidArgumentError } from 'commander';
import { configOption } from './config-option.ts';
import { helpText } from './help-text.ts';
import { type ExitCode, exitCodes, terminal } from './terminal.ts';

const kindNames = {
  Gateway: 'gateway',
  ApiKey: 'api-key',
  Project: 'project',
  Trigger: 'trigger',
  TriggerTest: 'trigger-test',
  AlertTest: 'alert-test',
  Prices: 'prices',
} as const;
type KindName = keyof typeof kindNames;

export function registerSchema(program: Command, finish: (code: ExitCode) => void): void {
  program
    .command('schema')
    .addArgument(
      new Argument('[kind]', `the kind of config file: ${Object.keys(kindNames).join(', ')}`).argParser(parseKind),
    )
    .summary('print the JSON Schemas of config files')
    .description(
      'Prints the JSON Schema of a kind of config file, for editors: it covers the options of each ' +
        'plugin, including those that gateway.yaml names. Without a kind: all schemas, by name.',
    )
    .option('--out <dir>', 'write one file for each kind into this folder instead')
    .addOption(configOption())
    .addHelpText(
      'after',
      helpText({
        examples: ['pullcord schema Trigger', 'pullcord schema --out schemas'],
        exitCodes: { 0: 'all schemas are complete', 1: 'plugins are missing, because the config has problems' },
      }),
    )
    .action(async (kind: KindName | undefined, { config: root, out }: { config: string; out?: string }) => {
      const [{ buildEditorSchemas }, { formatProblems }, { describePlugins }] = await Promise.all([
        import('../config/editor/schema.ts'),
        import('../diagnostics/format.ts'),
        import('../runtime/describe-plugins.ts'),
      ]);
      const { plugins, problems, sources } = await describePlugins(root);
      if (problems.length > 0) terminal.words(formatProblems(problems, sources, { format: 'text' }));
      const schemas = buildEditorSchemas(plugins);
      if (out !== undefined) await writeSchemas(out, schemas);
      else terminal.data(JSON.stringify(kind === undefined ? schemas : schemas[kindNames[kind]], undefined, 2));
      finish(problems.length > 0 ? exitCodes.problems : exitCodes.fine);
    });
}

function parseKind(written: string): KindName {
  const names = Object.keys(kindNames) as KindName[];
  const kind = names.find((name) => [name.toLowerCase(), kindNames[name]].includes(written.toLowerCase()));
  if (kind === undefined) throw new InvalidArgumentError(`Allowed are ${names.join(', ')}.`);
  return kind;
}

async function writeSchemas(folder: string, schemas: Readonly<Record<string, object>>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, schema] of Object.entries(schemas)) {
    const file = join(folder, `${name}.schema.json`);
    await writeFile(file, `${JSON.stringify(schema, undefined, 2)}\n`);
    terminal.words(`written: ${file}`);
  }
}
