import { compileSchema, type SchemaValidator } from '../config/schema-validator.ts';
import type { Plugin, Stage } from '../contract/index.ts';
import { suggest } from '../diagnostics/closest.ts';

/** A plugin with its options schema compiled. */
export interface RegisteredPlugin {
  readonly plugin: Plugin;
  readonly options: SchemaValidator<unknown>;
}

/** The plugins that `uses:` can name. */
export class Registry {
  readonly #plugins = new Map<string, RegisteredPlugin>();

  /** Adds a plugin. Throws if its name is taken in its stage or its options schema does not compile. */
  add(plugin: Plugin): void {
    const id = idOf(plugin.stage, plugin.name);
    if (this.#plugins.has(id)) throw new Error(`there already is a ${plugin.stage} plugin named ${plugin.name}`);
    this.#plugins.set(id, { plugin, options: compileSchema(plugin.optionsSchema) });
  }

  get(stage: Stage, name: string): RegisteredPlugin | undefined {
    return this.#plugins.get(idOf(stage, name));
  }

  /** All plugins, those of the gateway first. */
  list(): readonly Plugin[] {
    return [...this.#plugins.values()].map((registered) => registered.plugin);
  }

  /** A registry that starts with the plugins of this one. */
  extend(): Registry {
    const extended = new Registry();
    for (const [id, registered] of this.#plugins) extended.#plugins.set(id, registered);
    return extended;
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
