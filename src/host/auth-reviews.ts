import type { StageUse } from '../config/model.ts';
import type { AuthReview, Plugin } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';

/** What the plugin of each use of an auth stage says of itself. A use is missing if its plugin says nothing. */
export type AuthReviews = ReadonlyMap<StageUse, AuthReview>;

export interface Reviewed {
  /** Undefined if the plugin says nothing. */
  readonly review: AuthReview | undefined;
  readonly findings: readonly Problem[];
}

/**
 * Asks an auth plugin what reviewers should know of it.
 * @param options valid ones, with secrets as their references
 */
export function reviewAuth(plugin: Plugin, use: StageUse, options: unknown): Reviewed {
  if (plugin.stage !== 'auth') return silent;
  try {
    return { review: plugin.review?.(options), findings: [] };
  } catch (error) {
    const message = `the auth plugin ${use.uses} failed in \`review\`: ${error}`;
    return { review: undefined, findings: [{ code: 'plugin_failed', severity: 'error', message, place: use.place }] };
  }
}

const silent: Reviewed = { review: undefined, findings: [] };

/** Plugins that are never asked, since one before them lets everyone in: they would look as if they kept somebody out. */
export function unreachableAuth(uses: readonly StageUse[], reviews: AuthReviews): readonly Problem[] {
  const open = uses.findIndex((use) => reviews.get(use)?.callers.kind === 'anyone');
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
