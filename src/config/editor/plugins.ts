import type { Stage } from '../../contract/index.ts';
import { isRecord, type Json, type JsonRecord } from './json.ts';
import { misspellings } from './misspellings.ts';

/** A plugin, or an engine, as an editor shows it. */
export interface EditorPlugin {
  readonly stage: Stage | 'engine';
  readonly name: string;
  /** What it does, in one sentence. */
  readonly summary: string;
  /** JSON Schema draft-07 of `with:`. */
  readonly optionsSchema: object;
}

/**
 * Editors offer examples as completions: in the use of a plugin they would be another plugin's options, or the name of
 * a plugin of another stage.
 */
export function withoutPluginExamples(schema: JsonRecord): JsonRecord {
  const { pullcordStage, properties } = schema;
  if (typeof pullcordStage !== 'string') return schema;
  if (!isRecord(properties)) return withoutExamples(schema);
  const { uses, with: options } = properties;
  if (!isRecord(uses) || !isRecord(options)) return schema;
  return { ...schema, properties: { ...properties, uses: withoutExamples(uses), with: withoutExamples(options) } };
}

function withoutExamples({ examples, ...others }: JsonRecord): JsonRecord {
  return others;
}

/**
 * The schema of a plugin's name: editors offer the known ones with their summaries, and accept any other, except one that is
 * a known name misspelled.
 */
export function pluginNames(schema: JsonRecord, plugins: readonly EditorPlugin[]): JsonRecord {
  const { type, pattern, maxLength, description, ...others } = schema;
  const anyName = Object.fromEntries(
    Object.entries({ type, pattern, maxLength }).filter((entry): entry is [string, Json] => entry[1] !== undefined),
  );
  const list = plugins.map(({ name, summary }) => `- ${name}: ${summary}`).join('\n');
  return {
    ...others,
    ...(typeof description === 'string' && { description: `${description}\n\n${list}` }),
    anyOf: [
      ...plugins.map(({ name, summary }) => ({ const: name, description: summary })),
      typeof pattern === 'string' ? { ...anyName, pattern: withoutMisspelled(pattern, plugins) } : anyName,
    ],
  };
}

/** Ties `with:` to the schema of the plugin that `uses:` names; `optionsOf` returns the reference to it. */
export function pluginConditions(
  plugins: readonly EditorPlugin[],
  optionsOf: (plugin: EditorPlugin) => string,
): readonly JsonRecord[] {
  return plugins.map((plugin) => ({
    // Without the type, editors match a value that is not written yet against every plugin.
    if: { type: 'object', required: ['uses'], properties: { uses: { const: plugin.name } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {
      properties: { with: { $ref: optionsOf(plugin) } },
      ...(hasRequired(plugin.optionsSchema) && { required: ['with'] }),
    },
  }));
}

/** Whether a plugin cannot be used without options. */
export function hasRequired(schema: object): boolean {
  return 'required' in schema && Array.isArray(schema.required) && schema.required.length > 0;
}

/** A plugin of a third party may have any name but those. A schema that knows the plugin lists its name. */
function withoutMisspelled(pattern: string, plugins: readonly EditorPlugin[]): string {
  return pattern.replace(/^\^?/, `^(?!(?:${plugins.map(({ name }) => misspellings(name)).join('|')})$)`);
}
