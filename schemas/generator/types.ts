import { dirname, relative } from 'node:path/posix';
import { compile } from 'json-schema-to-typescript';
import { documentSchemas, stageSchema } from '../../src/config/document-schemas.ts';
import triggerBody from '../source/trigger-body.schema.json' with { type: 'json' };
import type { OutputSchema } from './output-schemas.ts';
import { typeSchema } from './type-schema.ts';

const options = { style: { singleQuote: true, printWidth: 120 }, unknownAny: true } as const;

/** The types of config files after validation: defaults filled in, durations in milliseconds, sizes in bytes. */
export async function documentTypes(): Promise<string> {
  const { definitions, ...stageUse } = stageSchema;
  const kinds = Object.values(documentSchemas);
  const all = [...kinds, stageUse, ...Object.values(definitions)];
  const schema = {
    title: 'ConfigDocument',
    description: 'A config file.',
    anyOf: kinds.map(({ title }) => ({ $ref: `#/definitions/${title}` })),
    definitions: Object.fromEntries(all.map((one) => [one.title, typeSchema(one, 'reference')])),
  };
  const bannerComment = [
    '// Generated from schemas/source/ by schemas/generate.ts. Do not edit.',
    "import type { JsonObject, SecretReference } from '../contract/index.ts';",
  ].join('\n');
  const body = typeSchema(triggerBody, 'reference');
  return [
    await compile(schema, 'ConfigDocument', { ...options, bannerComment }),
    await compile(body, triggerBody.title, { ...options, bannerComment: '' }),
  ].join('\n');
}

/** The type of what a command prints as JSON, for a file at this path. */
export async function outputTypes(name: string, schema: OutputSchema, path: string): Promise<string> {
  const types = await compile(typeSchema(schema, 'reference'), schema.title, { ...options, bannerComment: '' });
  const imported = ['JsonObject', 'JsonValue'].filter((type) => new RegExp(`\\b${type}\\b`).test(types));
  const contract = relative(dirname(path), 'src/contract/index.ts');
  return [
    `// Generated from schemas/source/${name}.schema.json by schemas/generate.ts. Do not edit.\n`,
    ...(imported.length === 0 ? [] : [`import type { ${imported.join(', ')} } from '${contract}';\n`]),
    `\n${types}`,
  ].join('');
}

/** The type of a plugin's options as `create` gets them, secrets resolved as well, from a schema in the file `source`. */
export function optionTypes(optionsSchema: object, source: string): Promise<string> {
  const bannerComment = `// Generated from ${source} by schemas/generate.ts. Do not edit.`;
  const schema = { ...typeSchema(optionsSchema, 'value'), title: 'Options' };
  return compile(schema, 'Options', { ...options, bannerComment });
}
