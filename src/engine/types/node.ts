/** One life of a node: from its registration until it stops or its lease ends. An opaque id, never used again. */
export type Life = string;

/** What a node serves. */
export interface ServedConfig {
  /** The revision of the config; empty: none. */
  readonly revision: string;
  /** The commit of that revision, if it has one. */
  readonly commit: string | undefined;
  /** Whether what it serves differs from the commit. */
  readonly isDirty: boolean;
  /** A digest of the secret that signs addresses and tokens: nodes that differ do not accept what the others sign. */
  readonly keyDigest: string;
}

/** What a node is called. */
export interface NodeName {
  /** For people: where it runs. */
  readonly name: string;
  /** Of the gateway. */
  readonly version: string;
}

/** What other nodes and operators may know of a node. */
export interface NodeInfo extends NodeName, ServedConfig {
  readonly running: number;
}

/** A node that has not been buried. Times in milliseconds since the epoch, by the clock of the store. */
export interface NodeRecord extends NodeInfo {
  readonly life: Life;
  readonly startedAt: number;
  /** Since when it serves its revision. */
  readonly revisionSince: number;
  /** When its lease ends unless it is renewed. */
  readonly leaseUntil: number;
}
