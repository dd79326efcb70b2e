import type { JsonObject, MaybePromise } from '../../contract/index.ts';

/**
 * What became of an action. `started`: its end is not known, because it is not over, or because the process or the store died
 * in between. `failed`: it was tried, and changed nothing. `refused`: the actor's role was too small, and it was not tried.
 */
export const auditOutcomes = ['started', 'succeeded', 'failed', 'refused'] as const;
export type AuditOutcome = (typeof auditOutcomes)[number];

/** What an operator did. Data only; no secrets, and nothing of what callers or agents sent. */
export interface AuditEntry {
  /** UUIDv7 (RFC 9562). */
  readonly id: string;
  /** When it was asked for, milliseconds since the epoch. */
  readonly at: number;
  /** The id of a token, `loopback` for a listener that requires none, or `cli:` and the user of the system. */
  readonly actor: string;
  /** The role of the token; undefined for the command line on a store. */
  readonly role: string | undefined;
  /** What was done, such as `runs.cancel`. */
  readonly action: string;
  /** What it was done to: the id of a run or of a limit, the name of a node. */
  readonly target: string | undefined;
  /** Of the client; undefined for the command line on a store. */
  readonly ip: string | undefined;
  /** As the answer names it; undefined for the command line on a store. */
  readonly requestId: string | undefined;
  readonly outcome: AuditOutcome;
  /** The code of the reason if it failed or was refused. */
  readonly reason: string | undefined;
  /** What was there before and after it, as far as the action says. */
  readonly before: JsonObject | undefined;
  readonly after: JsonObject | undefined;
  /** When its outcome was known, milliseconds since the epoch; undefined while it is `started`. */
  readonly endedAt: number | undefined;
}

/** The retention of the audit trail: the latest entries within both bounds are kept. */
export interface AuditBounds {
  readonly count: number;
  /** Milliseconds since the action. */
  readonly ageMs: number;
}

export interface AuditQuery {
  readonly actor?: string;
  readonly action?: string;
  /** At or after, milliseconds since the epoch. */
  readonly since?: number;
  readonly order: 'newest' | 'oldest';
  /** The last entry of the page before. */
  readonly after?: Pick<AuditEntry, 'id' | 'at'>;
  readonly limit: number;
}

/** Where the audit trail is kept. */
export interface Audit {
  /**
   * Stores an entry, in place of the one with its id, and drops what exceeds the bounds. Durable when it resolves, as far as
   * the engine is: an action begins after that. Rejects with EngineUnavailable if it cannot be stored.
   */
  put(entry: AuditEntry, bounds: AuditBounds): MaybePromise<void>;
  get(id: string): MaybePromise<AuditEntry | undefined>;
  list(query: AuditQuery): MaybePromise<readonly AuditEntry[]>;
}
