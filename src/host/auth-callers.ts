import type { StageUse } from '../config/model.ts';
import type { Auth, AuthCallers } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';

/** Who the callers of an auth plugin are, as it says itself; undefined if it does not say. */
export function callersOf(auth: Auth): AuthCallers | undefined {
  return auth.review?.().callers;
}

/** Plugins that are never asked, since one before them lets everyone in: they would look as if they kept somebody out. */
export function unreachableAuth(parts: readonly (Auth | undefined)[], uses: readonly StageUse[]): readonly Problem[] {
  for (const [index, part] of parts.entries()) {
    const use = uses[index];
    if (part === undefined || use === undefined) continue;
    try {
      if (callersOf(part)?.kind === 'anyone') return uses.slice(index + 1).map((hidden) => unreachable(hidden, use));
    } catch (error) {
      const message = `the auth plugin ${use.uses} failed in \`review\`: ${error}`;
      return [{ code: 'plugin_failed', severity: 'error', message, place: use.place }];
    }
  }
  return [];
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
