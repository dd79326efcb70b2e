import duration from '../../../schemas/source/duration.schema.json' with { type: 'json' };
import secret from '../../../schemas/source/secret.schema.json' with { type: 'json' };
import size from '../../../schemas/source/size.schema.json' with { type: 'json' };
import { documentSchemas, stageSchema } from '../document-schemas.ts';
import { isRecord, type Json, type JsonRecord } from './json.ts';
import { type EditorPlugin, hasRequired, pluginConditions, pluginNames, withoutPluginExamples } from './plugins.ts';
import { describe, isUsefulDefault, scalarExamples, titleForPeople } from './texts.ts';

/** The kinds of config file, as their editor schemas are named. */
export const editorSchemaNames = [
  'gateway',
  'api-key',
  'project',
  'trigger',
  'trigger-test',
  'alert-test',
  'prices',
] as const;
export type EditorSchemaName = (typeof editorSchemaNames)[number];

/**
 * Builds a self-contained JSON Schema (draft-07) for each kind of config file, so that editors need no network.
 * `with:` is completed and checked by what `uses:` names; plugins that are not listed may have any options.
 */
export function buildEditorSchemas(plugins: readonly EditorPlugin[]): Record<EditorSchemaName, object> {
  return {
    gateway: bundle(documentSchemas.Gateway, plugins),
    'api-key': bundle(documentSchemas.ApiKey, plugins),
    project: bundle(documentSchemas.Project, plugins),
    trigger: bundle(documentSchemas.Trigger, plugins),
    'trigger-test': bundle(documentSchemas.TriggerTest, plugins),
    'alert-test': bundle(documentSchemas.AlertTest, plugins),
    prices: bundle(documentSchemas.Prices, plugins),
  };
}

/** With `maxProperties: 1`, editors would offer nothing: they count the field that is being typed. */
const { maxProperties, ...secretForEditor } = {
  ...secret,
  dependencies: { env: { properties: { file: false } } },
};

/** The shared schemas by their `$ref`, with their names in a bundle. */
const shared: ReadonlyMap<string, readonly [name: string, schema: object]> = new Map<string, readonly [string, object]>(
  [
    ['urn:pullcord:secret', ['secret', secretForEditor]],
    ['urn:pullcord:duration', ['duration', duration]],
    ['urn:pullcord:size', ['size', size]],
    ['urn:pullcord:stage', ['stage', stageSchema]],
    ...Object.entries(stageSchema.definitions).map(
      ([name, schema]) => [`urn:pullcord:stage#/definitions/${name}`, [name, schema]] as const,
    ),
  ],
);

/** Keywords that only the gateway understands; editors may report them. */
const internalKeywords: ReadonlySet<string> = new Set([
  ...['$id', '$schema', 'definitions', 'pullcord', 'pullcordStage', 'tsType'],
  ...['minDuration', 'maxDuration', 'minSize', 'maxSize', 'maxDecimals'],
]);

/** The formats of draft-07; editors ignore ours, and strict tools reject them. */
const knownFormats: ReadonlySet<Json | undefined> = new Set([
  ...['date', 'date-time', 'time', 'email', 'hostname', 'ipv4', 'ipv6', 'uri', 'uri-reference', 'regex'],
  ...['json-pointer', 'relative-json-pointer', 'uri-template'],
]);

/** Their values are data, in which `$ref` is not a reference. */
const literalKeywords: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'required']);

function bundle(source: object, plugins: readonly EditorPlugin[]): object {
  const bundler = new Bundler(plugins);
  const root = bundler.schema(source, '');
  return { $schema: 'http://json-schema.org/draft-07/schema#', ...root, definitions: bundler.definitions };
}

class Bundler {
  readonly definitions: Record<string, object> = {};
  readonly #plugins: readonly EditorPlugin[];

  constructor(plugins: readonly EditorPlugin[]) {
    this.#plugins = plugins;
  }

  /** Copies a schema; `home` is the pointer of the definition that contains it: its own `#/…` start there. */
  schema(schema: object, home: string): JsonRecord {
    const copied: Record<string, Json> = {};
    const members = withoutPluginExamples(Object.fromEntries(Object.entries(schema)));
    for (const [keyword, value] of Object.entries(members)) {
      const made = this.#keyword(keyword, value, members, home);
      if (made !== undefined) copied[keyword] = made;
    }
    const { pullcordStage } = members;
    return typeof pullcordStage === 'string' ? this.#withChoices(copied, pullcordStage) : copied;
  }

  #keyword(keyword: string, value: Json, members: JsonRecord, home: string): Json | undefined {
    switch (keyword) {
      case '$ref':
        return typeof value === 'string' ? this.#reference(value, members, home) : value;
      case 'title':
        return typeof value === 'string' ? titleForPeople(value) : value;
      case 'description':
        return describe([value], members.examples);
      case 'examples':
        return scalarExamples(value);
      case 'anyOf':
        return this.#alternatives(value, members, home);
      case 'properties':
      case 'patternProperties':
        return this.#each(value, home);
      case 'format':
        return knownFormats.has(value) ? value : undefined;
      default:
        if (internalKeywords.has(keyword) || (keyword === 'default' && !isUsefulDefault(value))) return undefined;
        return literalKeywords.has(keyword) ? value : this.#value(value, home);
    }
  }

  #value(value: Json, home: string): Json {
    if (Array.isArray(value)) return value.map((item) => this.#value(item, home));
    return isRecord(value) ? this.schema(value, home) : value;
  }

  /** Editors show the text of the alternative that matches: it must say as much as that of the whole. */
  #alternatives(schemas: Json, { description, examples }: JsonRecord, home: string): Json {
    if (!Array.isArray(schemas)) return schemas;
    return schemas.map((schema) => {
      const copied = this.#value(schema, home);
      if (typeof description !== 'string' || !isRecord(copied)) return copied;
      return withText(copied, (text) => describe([description, text], examples));
    });
  }

  #each(schemas: Json, home: string): Json {
    if (!isRecord(schemas)) return schemas;
    return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, this.#value(schema, home)]));
  }

  #reference(reference: string, { pullcordStage }: JsonRecord, home: string): string {
    if (reference.startsWith('#')) return `#${home}${reference.slice(1)}`;
    const [name, schema] = shared.get(reference) ?? [];
    if (name === undefined || schema === undefined) return reference;
    if (name !== 'stage' || typeof pullcordStage !== 'string') return this.#define(name, schema);
    // The shared stage's title and examples do not fit this one.
    const title = `${pullcordStage[0]?.toUpperCase()}${pullcordStage.slice(1)}Stage`;
    return this.#define(`${pullcordStage}-use`, { ...schema, title, examples: [], pullcordStage });
  }

  #define(name: string, schema: object): string {
    const pointer = `/definitions/${name}`;
    if (!(name in this.definitions)) {
      this.definitions[name] = {};
      const own =
        'definitions' in schema && name.includes('.') ? this.#ownDefinitions(schema.definitions, pointer) : {};
      this.definitions[name] = { ...this.schema(schema, pointer), ...own };
    }
    return `#${pointer}`;
  }

  #ownDefinitions(definitions: unknown, home: string): object {
    return isRecord(definitions) ? { definitions: this.#each(definitions, home) } : {};
  }

  /** Ties options to the plugin in a use of one; where only a name is written, offers the names. */
  #withChoices(schema: JsonRecord, stageName: string): JsonRecord {
    const plugins = this.#plugins.filter((plugin) => plugin.stage === stageName);
    if (plugins.length === 0 || '$ref' in schema) return schema;
    const { properties } = schema;
    if (!isRecord(properties))
      return pluginNames(
        schema,
        plugins.filter(({ optionsSchema }) => !hasRequired(optionsSchema)),
      );
    const { uses } = properties;
    if (!isRecord(uses)) return schema;
    const optionsOf = (plugin: EditorPlugin): string =>
      this.#define(`${stageName}.${plugin.name}`, { ...plugin.optionsSchema, title: `Options of ${plugin.name}` });
    return {
      ...schema,
      properties: { ...properties, uses: pluginNames(uses, plugins) },
      allOf: pluginConditions(plugins, optionsOf),
    };
  }
}

/** Changes the text of a schema, and of each of its alternatives. */
function withText(schema: JsonRecord, change: (text: Json | undefined) => string): JsonRecord {
  const { anyOf } = schema;
  return {
    ...schema,
    description: change(schema.description),
    ...(Array.isArray(anyOf) && { anyOf: anyOf.map((one) => (isRecord(one) ? withText(one, change) : one)) }),
  };
}
