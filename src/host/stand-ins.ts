import type { Stage } from '../contract/index.ts';
import type { Policy } from './findings.ts';
import type { StageInstances } from './stage-instances.ts';

type StandIns = { readonly [S in Stage]?: StageInstances[S] };

const nobodyKnown: StageInstances['auth'] = { authenticate: () => ({ kind: 'abstained' }) };

/** What serves where a policy does without the plugin itself. Only plugins that reach out of the process have one. */
const standIns: Readonly<Record<Policy, StandIns>> = {
  must: {},
  mayLackSecrets: {
    auth: nobodyKnown,
    run: {
      execute: () => ({ kind: 'failed', message: 'a secret of the paused trigger is missing', retryable: true }),
    },
  },
  review: {
    auth: nobodyKnown,
    run: { execute: () => ({ kind: 'succeeded', output: null }) },
  },
};

/** The stand-in for a plugin of a stage; undefined where the policy requires the plugin. */
export function standInFor<S extends Stage>(stage: S, policy: Policy): StageInstances[S] | undefined {
  return standIns[policy][stage] as StageInstances[S] | undefined;
}
