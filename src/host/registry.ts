import { compileSchema, type SchemaValidator } from '../config/schema-validator.ts';
import type { Plugin, Stage } from '../contract/index.ts';
import { suggest } from '../diagnostics/closest.ts';

/** A plugin with its options schema compiled. */
export interface RegisteredPlugin {
  readonly plugin: Plugin;
  readonly options: SchemaValidator<unknown>;
}

/** Plugins outlive the registries of single configs, and so does what their options are checked with. */
const validators = new WeakMap<Plugin, SchemaValidator<unknown>>();

function validatorOf(plugin: Plugin): SchemaValidator<unknown> {
  const validator = validators.get(plugin) ?? compileSchema(plugin.optionsSchema);
  validators.set(plugin, validator);
  return validator;
}

/** The plugins that `uses:` can name. */
export class Registry {
  readonly #plugins: Map<string, Plugin>;

  /** @param plugins known to be sound and of different names: their options schemas are compiled when first needed */
  constructor(plugins: readonly Plugin[]) {
    this.#plugins = new Map(plugins.map((plugin) => [idOf(plugin.stage, plugin.name), plugin]));
  }

  /** Adds a plugin. Throws if its name is taken in its stage or its options schema does not compile. */
  add(plugin: Plugin): void {
    const id = idOf(plugin.stage, plugin.name);
    if (this.#plugins.has(id)) throw new Error(`there already is a ${plugin.stage} plugin named ${plugin.name}`);
    validatorOf(plugin);
    this.#plugins.set(id, plugin);
  }

  get(stage: Stage, name: string): RegisteredPlugin | undefined {
    const plugin = this.#plugins.get(idOf(stage, name));
    return plugin && { plugin, options: validatorOf(plugin) };
  }

  /** All plugins, those of the gateway first. */
  list(): readonly Plugin[] {
    return [...this.#plugins.values()];
  }

  /** A registry that starts with the plugins of this one. */
  extend(): Registry {
    return new Registry(this.list());
  }

  /** What to write instead of a name that is not there. */
  suggest(stage: Stage, name: string): string {
    const names = this.list().flatMap((plugin) => (plugin.stage === stage ? [plugin.name] : []));
    return suggest(name, names, `${stage} plugins`);
  }
}

function idOf(stage: Stage, name: string): string {
  return `${stage}/${name}`;
}
