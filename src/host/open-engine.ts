import { resolve } from 'node:path';
import type { EditorPlugin } from '../config/editor/plugins.ts';
import type { StageUse } from '../config/model.ts';
import type { PluginLog } from '../contract/index.ts';
import { suggest } from '../diagnostics/closest.ts';
import type { Problem } from '../diagnostics/problem.ts';
import type { EngineContext, OpenedEngine } from '../engine/definition.ts';
import { engines } from '../engine/index.ts';
import { EngineBroken, type Recovery } from '../engine/types/index.ts';
import { compileSoundSchema } from '../schema/validator.ts';
import { resolveOptions } from './options.ts';

export type EngineOpening =
  | ({ readonly ok: true } & OpenedEngine)
  | { readonly ok: false; readonly problems: readonly Problem[] };

export type EngineRecovery =
  | { readonly ok: true; readonly recovery: Recovery }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Opens the engine that gateway.yaml selects.
 * @param wanted `isThere`: opens what a gateway has kept, and creates nothing
 */
export async function openEngine(
  use: StageUse,
  { log, memory, node, commits }: Pick<EngineContext, 'log' | 'memory' | 'node' | 'commits'>,
  wanted: { readonly isThere?: boolean } = {},
): Promise<EngineOpening> {
  const checked = await checkEngine(use);
  if (!checked.ok) return checked;
  const context = { log, memory, node, commits, resolvePath: (path: string) => resolve(use.folder, path) };
  const { definition, options } = checked;
  if (wanted.isThere && !definition.isDurable) {
    return failed(use, `the ${definition.name} engine keeps data only in the gateway's process`);
  }
  try {
    if (wanted.isThere && (await definition.isThere?.(options, context)) === false) {
      return failed(use, 'no gateway has kept anything here yet');
    }
    return { ok: true, ...(await definition.create(options, context)) };
  } catch (error) {
    return { ok: false, problems: [engineProblem(use, error)] };
  }
}

/** How many runs may be queued, as the options of the engine say; 0: they do not. */
export async function mostQueuedOf(use: StageUse): Promise<number> {
  const checked = await checkEngine(use);
  const most: unknown = checked.ok ? Reflect.get(Object(checked.options), 'maxQueued') : 0;
  return typeof most === 'number' ? most : 0;
}

/** Exports what can be read of the damaged store of an engine. Rejects with an Error fit for users. */
export async function recoverEngine(
  use: StageUse,
  log: PluginLog,
  target: string | undefined,
): Promise<EngineRecovery> {
  const checked = await checkEngine(use);
  if (!checked.ok) return checked;
  const { definition, options } = checked;
  if (definition.recover === undefined) {
    const why = definition.isShared
      ? 'keeps its data in a database: recover that from a backup'
      : "keeps data only in the gateway's process";
    return failed(use, `the ${definition.name} engine ${why}`);
  }
  try {
    const context = { log, resolvePath: (path: string) => resolve(use.folder, path) };
    return { ok: true, recovery: await definition.recover(options, context, target) };
  } catch (error) {
    return { ok: false, problems: [engineProblem(use, error)] };
  }
}

function failed(use: StageUse, message: string): { readonly ok: false; readonly problems: readonly Problem[] } {
  return { ok: false, problems: [engineProblem(use, new Error(message))] };
}

/** Why an engine does not open or start. */
export function engineProblem({ place }: StageUse, error: unknown): Problem {
  const message = error instanceof Error ? error.message : String(error);
  return { code: EngineBroken.is(error) ? 'engine_broken' : 'engine_failed', severity: 'error', message, place };
}

/** Checks the engine's options without opening it. */
export async function checkEngine(use: StageUse) {
  const definition = engines.get(use.uses);
  if (definition === undefined) return { ok: false, problems: [unknownEngine(use)] } as const;
  const resolved = await resolveOptions(compileSoundSchema(definition.optionsSchema), use);
  return resolved.ok ? ({ ok: true, definition, options: resolved.options } as const) : resolved;
}

/** Why several processes cannot serve with the engine that gateway.yaml selects; none: they can. */
export async function sharingProblems(use: StageUse): Promise<readonly Problem[]> {
  const checked = await checkEngine(use);
  if (!checked.ok) return checked.problems;
  const { name, isShared } = checked.definition;
  if (isShared) return [];
  const message = `several processes cannot serve with the ${name} engine: only one process can use its store at a time`;
  const hint =
    'Use `engine: { uses: postgres, … }`, which processes and machines can share, or serve without --processes.';
  return [{ code: 'engine_not_shared', severity: 'error', message, hint, place: use.place }];
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

/** The engines as editors show them. */
export function describeEngines(): readonly EditorPlugin[] {
  return [...engines.values()].map(({ name, summary, optionsSchema }) => ({
    stage: 'engine',
    name,
    summary,
    optionsSchema,
  }));
}
