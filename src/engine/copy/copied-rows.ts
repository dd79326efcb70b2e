import type { MaybePromise } from '../../contract/index.ts';
import type { StoredBurst } from '../execution/store.ts';
import type {
  AuditEntry,
  LimitReservation,
  LimitState,
  Note,
  RecordedRequest,
  RunPolicy,
  RunRecord,
} from '../types/index.ts';

/** The kinds of rows, in the order in which they are copied: runs last. So the claim of a run that is there was copied before it. */
export const copiedKinds = [
  'sessions',
  'uses',
  'limits',
  'claims',
  'recordings',
  'audit',
  'notes',
  'finishedRuns',
  'pendingRuns',
] as const;
export type CopiedKind = (typeof copiedKinds)[number];

/** A fingerprint that a run holds. Some engines store its hash alone. */
export interface CopiedClaim {
  /** As `claimKey`. */
  readonly key: string;
  /** What was hashed, if the source has it. */
  readonly plain: { readonly scope: string; readonly fingerprint: string } | undefined;
}

export interface CopiedRun {
  /** Never `running`. */
  readonly record: RunRecord;
  readonly policy: Pick<RunPolicy, 'keep' | 'sessionTtlMs' | 'notify'>;
  /** Whether parts of the input are masked, so that a pending run cannot be executed. */
  readonly isMasked: boolean;
  /** Of a pending run. */
  readonly claim: (CopiedClaim & { readonly keepOnFailure: boolean }) | undefined;
  readonly reservations: readonly LimitReservation[];
  /** As JSON. */
  readonly checkpoint: string | undefined;
  /** Set if it waits for the end of its burst. `keyHash`: as `hashedKey`; `key`: what was hashed, if the source has it. */
  readonly burst:
    | (Omit<StoredBurst, 'key'> & { readonly key: string | undefined; readonly keyHash: string })
    | undefined;
  /** Of a final run whose callback has not been delivered. */
  readonly callback: { readonly attempts: number; readonly dueAt: number } | undefined;
}

/** A row of a store as every engine can read and write it. Times in milliseconds since the epoch. */
export type CopiedRow = {
  /** About what it takes in memory. */
  readonly bytes: number;
} & (
  | ({ readonly kind: 'finishedRuns' | 'pendingRuns' } & CopiedRun)
  | { readonly kind: 'claims'; readonly claim: CopiedClaim; readonly runId: string; readonly until: number | undefined }
  /** `memory` as JSON. */
  | { readonly kind: 'sessions'; readonly id: string; readonly memory: string; readonly until: number }
  | { readonly kind: 'uses'; readonly id: string; readonly used: number; readonly until: number }
  | ({ readonly kind: 'limits'; readonly limit: string; readonly value: string; readonly until: number } & LimitState)
  | { readonly kind: 'recordings'; readonly request: RecordedRequest; readonly size: number; readonly until: number }
  | { readonly kind: 'audit'; readonly entry: AuditEntry }
  | { readonly kind: 'notes'; readonly note: Note }
);

export type RowOf<Kind extends CopiedKind> = Extract<CopiedRow, { readonly kind: Kind }>;
export type RunRowCopy = RowOf<'finishedRuns' | 'pendingRuns'>;

/** A store that no gateway uses, open for reading. */
export interface CopySource {
  /** For people, without a password. */
  readonly name: string;
  /** How many rows of each kind there are. */
  counts(): MaybePromise<Readonly<Record<CopiedKind, number>>>;
  /** The rows of one kind; pending runs in line. */
  rows(kind: CopiedKind): AsyncIterable<CopiedRow> | Iterable<CopiedRow>;
  close(): MaybePromise<void>;
}

/** What became of a row. `unfinished`: the target has the run already, and has it as pending. */
export type CopiedOutcome = 'copied' | 'present' | 'unfinished';

/** A store that no gateway uses, open for writing. */
export interface CopyTarget {
  readonly name: string;
  /** Adds rows of one kind, all or none of them; those that are there stay as they are. A claim whose run is there is not added. */
  add(rows: readonly CopiedRow[]): MaybePromise<readonly CopiedOutcome[]>;
  /** All rows were added, now or before. */
  finish(): MaybePromise<void>;
  close(): MaybePromise<void>;
}

export interface CopyOptions {
  /** Of the database, where a store is in one; undefined: that of the engine's default. */
  readonly schema: string | undefined;
}

/** How a store of an engine is copied. An address is a path or a URL. Both reject with an Error fit for users. */
export interface EngineCopying {
  /** Whether a store is in a schema of a database. */
  readonly hasSchema: boolean;
  openSource(address: string, options: CopyOptions): Promise<CopySource>;
  openTarget(address: string, options: CopyOptions): Promise<CopyTarget>;
}
