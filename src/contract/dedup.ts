import type { Exchange } from './exchange.ts';
import type { MaybePromise } from './json.ts';
import type { RequestReads } from './reads.ts';

/** Says what makes two requests the same. The engine alone decides what is a duplicate. */
export interface Dedup {
  /**
   * Returns the fingerprint of the request, or undefined if it takes no part in dedup. May throw a FingerprintError, or a
   * WorkExhausted.
   */
  fingerprint(exchange: Exchange): MaybePromise<Fingerprint | undefined>;
  /** What it reads in addition to the body. */
  readonly reads?: RequestReads;
}

export interface Fingerprint {
  readonly key: string;
  /** Milliseconds from acceptance; undefined: without expiry. */
  readonly windowMs: number | undefined;
  /** Keeps the claim when the run fails or is cancelled. */
  readonly keepOnFailure: boolean;
}
