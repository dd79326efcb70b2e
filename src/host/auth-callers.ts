import type { StageUse } from '../config/model.ts';
import type { AuthCallers, Plugin } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';

/** Who the callers of each use of an auth plugin are. A use is missing if its plugin does not say. */
export type CallersByUse = ReadonlyMap<StageUse, AuthCallers>;

export interface Reviewed {
  /** Undefined if the plugin does not say. */
  readonly callers: AuthCallers | undefined;
  readonly findings: readonly Problem[];
}

/**
 * Asks an auth plugin who its callers are.
 * @param options valid ones, with secrets as their references
 */
export function reviewAuth(plugin: Plugin, use: StageUse, options: unknown): Reviewed {
  if (plugin.stage !== 'auth') return silent;
  try {
    return { callers: plugin.review?.(options).callers, findings: [] };
  } catch (error) {
    const message = `the auth plugin ${use.uses} failed in \`review\`: ${error}`;
    return { callers: undefined, findings: [{ code: 'plugin_failed', severity: 'error', message, place: use.place }] };
  }
}

const silent: Reviewed = { callers: undefined, findings: [] };

/** Plugins that are never asked, since one before them lets everyone in: they would look as if they kept somebody out. */
export function unreachableAuth(uses: readonly StageUse[], callers: CallersByUse): readonly Problem[] {
  const open = uses.findIndex((use) => callers.get(use)?.kind === 'anyone');
  const use = uses[open];
  return use === undefined ? [] : uses.slice(open + 1).map((hidden) => unreachable(hidden, use));
}

function unreachable({ place }: StageUse, { uses: open }: StageUse): Problem {
  return {
    code: 'unreachable_auth',
    severity: 'error',
    message: `this is never asked: \`${open}\`, which stands before it, lets everyone in`,
    hint: `Put \`${open}\` last, or remove it.`,
    place: { ...place, pointer: `${place.pointer}/uses` },
  };
}
