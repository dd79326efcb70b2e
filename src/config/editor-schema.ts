import apiKey from '../../schemas/source/api-key.schema.json' with { type: 'json' };
import duration from '../../schemas/source/duration.schema.json' with { type: 'json' };
import gateway from '../../schemas/source/gateway.schema.json' with { type: 'json' };
import project from '../../schemas/source/project.schema.json' with { type: 'json' };
import secret from '../../schemas/source/secret.schema.json' with { type: 'json' };
import size from '../../schemas/source/size.schema.json' with { type: 'json' };
import stage from '../../schemas/source/stage.schema.json' with { type: 'json' };
import trigger from '../../schemas/source/trigger.schema.json' with { type: 'json' };
import triggerTest from '../../schemas/source/trigger-test.schema.json' with { type: 'json' };
import type { Stage } from '../contract/index.ts';

/** What an editor is told of a plugin, or of an engine. */
export interface EditorPlugin {
  readonly stage: Stage | 'engine';
  readonly name: string;
  /** JSON Schema draft-07 of `with:`. */
  readonly optionsSchema: object;
}

/** The kinds of config file, as their editor schemas are named. */
export const editorSchemaNames = ['gateway', 'api-key', 'project', 'trigger', 'trigger-test'] as const;
export type EditorSchemaName = (typeof editorSchemaNames)[number];

/**
 * Builds a JSON Schema (draft-07) for each kind of config file that stands alone, so that an editor needs no network.
 * `with:` is completed and checked by what `uses:` names; plugins that are not listed may have any options.
 */
export function buildEditorSchemas(plugins: readonly EditorPlugin[]): Record<EditorSchemaName, object> {
  return {
    gateway: bundle(gateway, plugins),
    'api-key': bundle(apiKey, plugins),
    project: bundle(project, plugins),
    trigger: bundle(trigger, plugins),
    'trigger-test': bundle(triggerTest, plugins),
  };
}

type Json = null | boolean | number | string | readonly Json[] | JsonRecord;
interface JsonRecord {
  readonly [member: string]: Json;
}

/** The shared schemas by what a `$ref` calls them, and what they are called in a bundle. */
const shared: ReadonlyMap<string, readonly [name: string, schema: object]> = new Map<string, readonly [string, object]>(
  [
    ['urn:pullcord:secret', ['secret', secret]],
    ['urn:pullcord:duration', ['duration', duration]],
    ['urn:pullcord:size', ['size', size]],
    ['urn:pullcord:stage', ['stage', stage]],
    ...Object.entries(stage.definitions).map(
      ([name, schema]) => [`urn:pullcord:stage#/definitions/${name}`, [name, schema]] as const,
    ),
  ],
);

/** What only the gateway understands; an editor may complain of it. */
const internalKeywords: ReadonlySet<string> = new Set([
  ...['$id', '$schema', 'definitions', 'pullcord', 'pullcordStage', 'tsType'],
  ...['minDuration', 'maxDuration', 'minSize', 'maxSize'],
]);

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

  /** Copies a schema; `home` is the pointer of the definition it is part of, where its own `#/…` start. */
  schema(schema: object, home: string): JsonRecord {
    const copied: Record<string, Json> = {};
    const members: JsonRecord = Object.fromEntries(Object.entries(schema));
    for (const [keyword, value] of Object.entries(members)) {
      if (keyword === '$ref' && typeof value === 'string') copied.$ref = this.#reference(value, members, home);
      else if (keyword === 'title' && typeof value === 'string') copied.title = titleForPeople(value);
      else if (keyword === 'anyOf') copied.anyOf = this.#alternatives(value, members, home);
      else if (keyword === 'properties' || keyword === 'patternProperties') copied[keyword] = this.#each(value, home);
      else if (literalKeywords.has(keyword)) copied[keyword] = value;
      else if (!internalKeywords.has(keyword)) copied[keyword] = this.#value(value, home);
    }
    const { pullcordStage } = members;
    const isStageItself = typeof pullcordStage === 'string' && members.$ref === undefined;
    return isStageItself ? { ...copied, ...this.#choices(copied, pullcordStage) } : copied;
  }

  #value(value: Json, home: string): Json {
    if (Array.isArray(value)) return value.map((item) => this.#value(item, home));
    return isRecord(value) ? this.schema(value, home) : value;
  }

  /** An editor shows the text of the alternative that is written: it must say as much as that of the whole. */
  #alternatives(schemas: Json, { description }: JsonRecord, home: string): Json {
    if (!Array.isArray(schemas)) return schemas;
    return schemas.map((schema) => {
      const copied = this.#value(schema, home);
      if (typeof description !== 'string' || !isRecord(copied)) return copied;
      const texts = [description, copied.description].filter((text) => typeof text === 'string');
      return { ...copied, description: texts.join('\n\n') };
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
    const isStage = name === 'stage' && typeof pullcordStage === 'string';
    return this.#define(
      isStage ? `${pullcordStage}-use` : name,
      isStage ? { ...withoutExamples(schema), pullcordStage } : schema,
    );
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

  /** Ties the options to the plugin: `uses` completes to a known name, `with` to that plugin's schema. */
  #choices({ properties }: JsonRecord, stageName: string): JsonRecord {
    const plugins = this.#plugins.filter((plugin) => plugin.stage === stageName);
    if (plugins.length === 0 || !isRecord(properties) || !isRecord(properties.uses)) return {};
    const names = plugins.map(({ name }) => name);
    // An editor offers examples as well, and the plugin of another stage would be among them.
    const { type, pattern, maxLength, examples, ...uses } = properties.uses;
    const anyName = Object.fromEntries(
      Object.entries({ type, pattern, maxLength }).filter((entry): entry is [string, Json] => entry[1] !== undefined),
    );
    return {
      properties: { ...properties, uses: { ...uses, anyOf: [{ enum: names }, anyName] } },
      allOf: plugins.map((plugin) => ({
        if: { properties: { uses: { const: plugin.name } }, required: ['uses'] },
        // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
        then: {
          properties: { with: { $ref: this.#define(`${stageName}.${plugin.name}`, plugin.optionsSchema) } },
          ...(hasRequired(plugin.optionsSchema) && { required: ['with'] }),
        },
      })),
    };
  }
}

/** The examples of the shared stage are those of one stage. */
function withoutExamples(schema: object): object {
  const members: JsonRecord = Object.fromEntries(Object.entries(schema));
  const { examples, ...others } = members;
  return others;
}

/** `NamedFilterDocument`, the name of a type of ours, is `Named filter` where people read it. */
function titleForPeople(title: string): string {
  return title.replace(/(?<!^)Document$/, '').replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** Their values are data, in which a `$ref` is no reference. */
const literalKeywords: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples', 'required']);

function hasRequired(schema: object): boolean {
  return 'required' in schema && Array.isArray(schema.required) && schema.required.length > 0;
}

function isRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
