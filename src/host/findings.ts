import type { Problem } from '../diagnostics/problem.ts';

/**
 * What a use of a plugin has to have. `must`: everything. `mayLackSecrets`: a paused trigger takes no requests, so a
 * secret may still be missing. `review`: no caller's credential is checked, so secrets do not matter.
 */
export type Policy = 'must' | 'mayLackSecrets' | 'review';

const strictness: readonly Policy[] = ['review', 'mayLackSecrets', 'must'];

/** What was found while a config was provisioned: each fault once, judged by the strictest policy that met it. */
export class Findings {
  readonly #byId = new Map<string, { readonly problem: Problem; readonly policy: Policy }>();

  add(problems: readonly Problem[], policy: Policy): void {
    for (const problem of problems) {
      const id = JSON.stringify([problem.code, problem.message, problem.place]);
      const known = this.#byId.get(id);
      if (known && strictness.indexOf(known.policy) >= strictness.indexOf(policy)) continue;
      this.#byId.set(id, { problem, policy });
    }
  }

  /** All of them, with their severity. */
  judged(): readonly Problem[] {
    return [...this.#byId.values()].flatMap(({ problem, policy }) => judge(problem, policy));
  }
}

const missingHint =
  'Until it is there the whole config is refused. A paused trigger (`status: paused`) may lack its secrets.';

function judge(problem: Problem, policy: Policy): readonly Problem[] {
  if (problem.code !== 'missing_secret') return [problem];
  switch (policy) {
    case 'must':
      return [{ ...problem, hint: missingHint }];
    case 'mayLackSecrets':
      return [{ ...problem, severity: 'note' }];
    case 'review':
      return [];
  }
}
