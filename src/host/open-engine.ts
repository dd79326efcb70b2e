import { resolve } from 'node:path';
import type { EditorPlugin } from '../config/editor/plugins.ts';
import type { StageUse } from '../config/model.ts';
import type { PluginLog } from '../contract/index.ts';
import { suggest } from '../diagnostics/closest.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { engines } from '../engine/index.ts';
import type { Engine } from '../engine/types/index.ts';
import { compileSoundSchema } from '../schema/validator.ts';
import { resolveOptions } from './options.ts';

export type OpenedEngine =
  | { readonly ok: true; readonly engine: Engine }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Opens the engine that gateway.yaml picks.
 * @param wanted `isThere`: nothing is made where no gateway has been
 */
export async function openEngine(
  use: StageUse,
  log: PluginLog,
  wanted: { readonly isThere?: boolean } = {},
): Promise<OpenedEngine> {
  const checked = await checkEngine(use);
  if (!checked.ok) return checked;
  const context = { log, resolvePath: (path: string) => resolve(use.folder, path) };
  if (wanted.isThere && checked.definition.isThere?.(checked.options, context) === false) {
    const message = 'no gateway has kept anything here yet';
    return { ok: false, problems: [{ code: 'engine_failed', severity: 'error', message, place: use.place }] };
  }
  try {
    return { ok: true, engine: await checked.definition.create(checked.options, context) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { ok: false, problems: [{ code: 'engine_failed', severity: 'error', message, place: use.place }] };
  }
}

/** Checks the engine's options without opening it. */
export async function checkEngine(use: StageUse) {
  const definition = engines.get(use.uses);
  if (definition === undefined) return { ok: false, problems: [unknownEngine(use)] } as const;
  const resolved = await resolveOptions(compileSoundSchema(definition.optionsSchema), use);
  return resolved.ok ? ({ ok: true, definition, options: resolved.options } as const) : resolved;
}

function unknownEngine(use: StageUse): Problem {
  return {
    code: 'unknown_engine',
    severity: 'error',
    message: `there is no engine named ${use.uses}`,
    hint: suggest(use.uses, [...engines.keys()], 'engines'),
    place: { ...use.place, pointer: `${use.place.pointer}/uses` },
  };
}

/** The engines as an editor is told of them. */
export function describeEngines(): readonly EditorPlugin[] {
  return [...engines.values()].map(({ name, summary, optionsSchema }) => ({
    stage: 'engine',
    name,
    summary,
    optionsSchema,
  }));
}
