import type { AdminConfig, CallbackConfig, PluginReference, StageUse, TriggerConfig } from '../../config/model.ts';
import { usesOf } from '../../config/uses-of.ts';
import { type Plugin, type SecretReference, type Stage, stages } from '../../contract/index.ts';
import { builtinRegistry } from '../../host/builtins.ts';
import { importPlugins } from '../../host/load-plugins.ts';
import type { Registry } from '../../host/registry.ts';
import { canonicalOptions } from '../meaning/canonical-options.ts';
import { noteFacts } from '../meaning/use-facts.ts';
import { digestPlugin } from '../named-files/digest-plugin.ts';
import { type NamedFile, NamedFiles } from '../named-files/named-files.ts';
import type { OpenConfig } from '../open-config.ts';

/** A config to compare, with what its text does not show. */
export interface PlanSide extends OpenConfig {
  /** The config folder. */
  readonly root: string;
  readonly label: string;
  /** Why only a part of it can be compared: the number of its errors; 0 if it is whole. */
  readonly faults: number;
  readonly plugins: readonly ReviewedPlugin[];
  /** The files of secrets that are not options of a plugin. */
  readonly secretFiles: ReadonlyMap<AdminConfig | CallbackConfig, NamedFile>;
}

/** A plugin that is not built in. */
export interface ReviewedPlugin {
  readonly reference: PluginReference;
  readonly exports: readonly Pick<Plugin, 'stage' | 'name'>[];
  /** A digest of its code; undefined if that cannot be found out. */
  readonly digest: string | undefined;
}

/**
 * Reads everything that a config names and does not contain.
 * @param isForeign whether a file belongs to the machine and not to the state that is compared
 */
export async function planSide(
  opened: OpenConfig,
  { root, label, faults }: Pick<PlanSide, 'root' | 'label' | 'faults'>,
  isForeign?: (path: string) => boolean,
): Promise<PlanSide> {
  const { config } = opened;
  const files = new NamedFiles(isForeign);
  const registry = builtinRegistry();
  const plugins = await Promise.all(config.plugins.map((reference) => reviewedPlugin(reference, registry)));
  const surroundings = { registry, plugins, files };
  await noteUses(config.defaultAuth, 'auth', surroundings);
  for (const stage of stages) {
    await noteUses(
      config.triggers.flatMap((trigger) => usesOf(trigger, stage)),
      stage,
      surroundings,
    );
  }
  return { ...opened, root, label, faults, plugins, secretFiles: await secretFilesOf(config, files) };
}

async function reviewedPlugin(reference: PluginReference, registry: Registry): Promise<ReviewedPlugin> {
  // A config whose plugins cannot be imported was not opened.
  const plugins = await importPlugins(reference);
  for (const plugin of plugins) registry.add(plugin);
  return {
    reference,
    exports: plugins.map(({ stage, name }) => ({ stage, name })),
    digest: await digestPlugin(reference),
  };
}

interface Surroundings {
  /** With the plugins that are not built in. */
  readonly registry: Registry;
  readonly plugins: readonly ReviewedPlugin[];
  readonly files: NamedFiles;
}

async function noteUses(
  uses: readonly StageUse[],
  stage: Stage,
  { registry, plugins, files }: Surroundings,
): Promise<void> {
  for (const use of new Set(uses)) {
    const registered = await registry.get(stage, use.uses);
    const validated = registered?.options.validate(use.with);
    const meaning =
      registered && validated?.ok
        ? canonicalOptions(JSON.parse(JSON.stringify(validated.value)), registered.plugin.optionsSchema)
        : use.with;
    const code = plugins.find(({ exports }) => exports.some((one) => one.stage === stage && one.name === use.uses));
    noteFacts(use, { meaning, files: await files.ofUse(use), code: code?.digest });
  }
}

async function secretFilesOf(
  { admin, triggers }: OpenConfig['config'],
  files: NamedFiles,
): Promise<PlanSide['secretFiles']> {
  const holders: readonly (readonly [AdminConfig | CallbackConfig, SecretReference | undefined])[] = [
    [admin, admin.token],
    ...triggers.flatMap(({ callback }: TriggerConfig) => (callback ? [[callback, callback.secret] as const] : [])),
  ];
  const found = new Map<AdminConfig | CallbackConfig, NamedFile>();
  for (const [holder, reference] of holders) {
    if (reference === undefined || !('file' in reference)) continue;
    found.set(holder, await files.ofSecret(reference.file, holder.folder));
  }
  return found;
}
