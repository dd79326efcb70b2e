// Writes what follows from the schemas: types, and the schemas that editors read. With --check it only says what is not up to date.
import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { buildEditorSchemas, editorSchemaNames } from '../src/config/editor/schema.ts';
import { builtinRegistry } from '../src/host/builtins.ts';
import { describeEngines } from '../src/host/open-engine.ts';
import { findOptionSchemas } from './generator/option-schemas.ts';
import { outputSchemas } from './generator/output-schemas.ts';
import { documentTypes, optionTypes, outputTypes } from './generator/types.ts';

const root = join(import.meta.dirname, '..');
const outputs = new Map<string, string>();

outputs.set('src/config/documents.gen.ts', await documentTypes());
for (const [name, { schema, types }] of Object.entries(outputSchemas)) {
  outputs.set(types, await outputTypes(name, schema, types));
  // What stands in source/ stands alone, so that it is shipped as it is.
  const file = `${name}.schema.json`;
  outputs.set(`schemas/${file}`, await readFile(join(root, 'schemas/source', file), 'utf8'));
}
for (const { source, types, optionsSchema } of await findOptionSchemas(root))
  outputs.set(types, await optionTypes(optionsSchema, source));
const bundles = buildEditorSchemas([...(await builtinRegistry().list()), ...describeEngines()]);
for (const name of editorSchemaNames)
  outputs.set(`schemas/${name}.schema.json`, `${JSON.stringify(bundles[name], undefined, 2)}\n`);

const stale: string[] = [];
for (const [path, text] of outputs) {
  const present = await readFile(join(root, path), 'utf8').catch(() => undefined);
  if (present !== text) stale.push(path);
}
if (process.argv.includes('--check')) {
  for (const path of stale) console.error(`${path}: not up to date`);
  if (stale.length > 0) {
    console.error('Run `npm run generate` and commit what changes.');
    process.exitCode = 1;
  }
} else {
  for (const path of stale) await writeFile(join(root, path), outputs.get(path) ?? '');
  console.error(`${stale.length} of ${outputs.size} files written in ${relative('.', root) || '.'}`);
}
