import { type Exchange, type Fingerprint, FingerprintError, type MaybePromise } from '../contract/index.ts';
import type { Claim } from '../engine/types/index.ts';
import { exhausted } from './filter-error.ts';
import type { LiveTrigger } from './snapshot.ts';
import { dedupStage, type FilterError } from './verdict.ts';
import { isThenable } from './when-ready.ts';

/** What the dedup stage decided; without a claim, the request takes no part in it. */
export type Claimed =
  | { readonly kind: 'claimed'; readonly claim?: Claim }
  | { readonly kind: 'not_claimed'; readonly error: FilterError; readonly detail: string };

/** The fingerprint of a request in the dedup stage of its trigger. */
export function claimOf({ id, dedup }: LiveTrigger, exchange: Exchange): MaybePromise<Claimed> {
  if (dedup === undefined) return unclaimed;
  const claimed = (fingerprint: Fingerprint | undefined): Claimed => {
    if (fingerprint === undefined) return unclaimed;
    const { key, windowMs, keepOnFailure } = fingerprint;
    return { kind: 'claimed', claim: { scope: id, fingerprint: key, windowMs, keepOnFailure } };
  };
  try {
    const fingerprint = dedup.fingerprint(exchange);
    if (!isThenable(fingerprint)) return claimed(fingerprint);
    return Promise.resolve(fingerprint).then(claimed, notClaimed);
  } catch (error) {
    return notClaimed(error);
  }
}

const unclaimed: Claimed = Object.freeze({ kind: 'claimed' });
const tooMuchToCompare = 'Comparing the body with earlier ones takes too much work.';
const notCompared = 'The request could not be compared with earlier ones.';

function notClaimed(error: unknown): Claimed {
  if (!FingerprintError.is(error)) {
    return { kind: 'not_claimed', error: exhausted(dedupStage, error), detail: tooMuchToCompare };
  }
  const { message: reason } = error;
  return { kind: 'not_claimed', error: { kind: 'filter_error', by: dedupStage, reason }, detail: notCompared };
}
