import type { StageUse } from '../config/model.ts';
import type { Auth, AuthCallers, AuthReview } from '../contract/index.ts';
import { partsOf } from '../host/auth-list.ts';
import type { Snapshot } from '../runtime/snapshot.ts';

/** One auth plugin of a trigger, as its reviewers see it. */
export interface ReviewedAuth {
  readonly use: StageUse;
  readonly auth: Auth;
  /** Who its callers are; undefined if the plugin does not say. */
  readonly callers: AuthCallers | undefined;
  /** How its senders describe an event. */
  readonly eventOf: AuthReview['eventOf'];
}

/** The auth plugins of a trigger, in the order in which they are asked; of an unknown one those of the gateway. */
export function reviewedAuths(snapshot: Snapshot, project: string, key: string): readonly ReviewedAuth[] {
  const trigger = snapshot.find(project, key);
  const uses = trigger?.config.auth ?? snapshot.config.defaultAuth;
  const parts = partsOf(trigger?.auth ?? snapshot.defaultAuth);
  return uses.flatMap((use, index) => {
    const auth = parts[index];
    const review = snapshot.authReviews.get(use);
    return auth === undefined ? [] : [{ use, auth, callers: review?.callers, eventOf: review?.eventOf }];
  });
}

/** Whether a request without a credential is let in. */
export function isOpen(auths: readonly ReviewedAuth[]): boolean {
  return auths.some(letsEveryoneIn);
}

/** Whether anyone can get a credential. */
export function servesVisitors({ callers }: ReviewedAuth): boolean {
  return callers?.kind === 'holders' && callers.isPublic === true;
}

export function letsEveryoneIn({ callers }: ReviewedAuth): boolean {
  return callers?.kind === 'anyone';
}
