import type { MaybePromise, Plugin, Stage } from '../contract/index.ts';
import { suggest } from '../diagnostics/closest.ts';
import { compileSchema, compileSoundSchema, type SchemaValidator } from '../schema/validator.ts';

/** A plugin that may not be loaded yet. */
export interface PluginEntry {
  readonly stage: Stage;
  readonly name: string;
  load(): MaybePromise<Plugin>;
}

/** A plugin with its options schema compiled. */
export interface RegisteredPlugin {
  readonly plugin: Plugin;
  readonly options: SchemaValidator<unknown>;
}

/** Plugins outlive the registries of single configs, and so do the validators of their options. */
const validators = new WeakMap<Plugin, SchemaValidator<unknown>>();

function validatorOf(plugin: Plugin): SchemaValidator<unknown> {
  const validator = validators.get(plugin) ?? compileSoundSchema(plugin.optionsSchema);
  validators.set(plugin, validator);
  return validator;
}

/** The plugins that `uses:` can name. */
export class Registry {
  readonly #entries: Map<string, PluginEntry>;

  /** @param entries valid plugins with unique names: they are loaded, and their schemas compiled, on first use */
  constructor(entries: readonly PluginEntry[]) {
    this.#entries = new Map(entries.map((entry) => [idOf(entry.stage, entry.name), entry]));
  }

  /** Adds a plugin. Throws if its name is taken in its stage or its options schema does not compile. */
  add(plugin: Plugin): void {
    const id = idOf(plugin.stage, plugin.name);
    if (this.#entries.has(id)) throw new Error(`there already is a ${plugin.stage} plugin named ${plugin.name}`);
    if (!validators.has(plugin)) validators.set(plugin, compileSchema(plugin.optionsSchema));
    this.#entries.set(id, { stage: plugin.stage, name: plugin.name, load: () => plugin });
  }

  async get(stage: Stage, name: string): Promise<RegisteredPlugin | undefined> {
    const plugin = await this.#entries.get(idOf(stage, name))?.load();
    return plugin && { plugin, options: validatorOf(plugin) };
  }

  /** Loads and returns all plugins, the built-in ones first. */
  list(): Promise<readonly Plugin[]> {
    return Promise.all([...this.#entries.values()].map((entry) => entry.load()));
  }

  /** A registry that starts with the plugins of this one. */
  extend(): Registry {
    return new Registry([...this.#entries.values()]);
  }

  /** What to write instead of an unknown name. */
  suggest(stage: Stage, name: string): string {
    const names = [...this.#entries.values()].flatMap((entry) => (entry.stage === stage ? [entry.name] : []));
    return suggest(name, names, `${stage} plugins`);
  }
}

function idOf(stage: Stage, name: string): string {
  return `${stage}/${name}`;
}
