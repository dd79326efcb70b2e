import { isAbsolute } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { faultOfFile } from '../config/files/read-regular-file.ts';
import type { PluginReference } from '../config/model.ts';
import type { Plugin } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { faultOfPlugin } from './check-plugin.ts';
import { withDeadline } from './deadline.ts';
import { importHint } from './import-hint.ts';
import type { Registry } from './registry.ts';

/** A plugin's module may do work when it is first imported, within this time. */
const importDeadlineMs = 10_000;

/**
 * Adds the plugins that `gateway.yaml` names to the registry. A module's default export is one plugin or an array of
 * them. A module is imported once in the life of the process: changed code of a plugin needs a restart.
 */
export async function loadPlugins(references: readonly PluginReference[], registry: Registry): Promise<Problem[]> {
  const problems: Problem[] = [];
  for (const reference of references) {
    try {
      for (const plugin of await importPlugins(reference)) registry.add(plugin);
    } catch (error) {
      const message = messageOf(error);
      const hint = importHint(message);
      problems.push({
        code: 'bad_plugin',
        severity: 'error',
        message: `the plugin ${reference.specifier} cannot be used: ${message}`,
        ...(hint !== undefined && { hint }),
        place: reference.place,
      });
    }
  }
  return problems;
}

/** Imports a plugin's module, and returns the plugins that it exports. Throws if it is none. */
export async function importPlugins(reference: PluginReference): Promise<Plugin[]> {
  const url = isAbsolute(reference.specifier)
    ? pathToFileURL(reference.specifier).href
    : await resolvePackage(reference);
  await refuseOtherKinds(url);
  const loaded: { default?: unknown } = await withDeadline(import(url), importDeadlineMs, 'the import');
  const exported = Array.isArray(loaded.default) ? loaded.default : [loaded.default];
  return exported.map(asPlugin);
}

/** The loader of modules would wait for the writer of a FIFO and hold a thread. A missing file it explains better. */
async function refuseOtherKinds(url: string): Promise<void> {
  if (!url.startsWith('file:')) return;
  const fault = await faultOfFile(fileURLToPath(url));
  if (fault?.isOtherKind) throw new Error(`the file ${fault.reason}`);
}

async function resolvePackage({ specifier, folder }: PluginReference): Promise<string> {
  const { resolve } = await import('import-meta-resolve');
  return resolve(specifier, pathToFileURL(`${folder}/`).href);
}

function asPlugin(candidate: unknown): Plugin {
  const fault = faultOfPlugin(candidate);
  if (fault !== undefined) throw new Error(fault);
  return candidate as Plugin;
}

/** The first line only: loaders append stacks and import chains. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0] ?? '';
}
