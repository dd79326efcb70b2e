import type { MaybePromise } from '../../contract/index.ts';

/** A small text under a key. */
export interface Note {
  readonly key: string;
  readonly text: string;
  /** Counts its changes, from 1. */
  readonly version: number;
}

/** Small texts that outlive a restart where the engine is durable, and that the nodes of a cluster share. */
export interface Notes {
  /** The notes whose key begins with `prefix`. */
  read(prefix: string): MaybePromise<readonly Note[]>;
  /**
   * Writes a note if `version` is the one that is stored (compare and set), 0 for a note that does not exist; `undefined` removes
   * it. Returns whether it was written.
   */
  write(key: string, text: string | undefined, version: number): MaybePromise<boolean>;
}
