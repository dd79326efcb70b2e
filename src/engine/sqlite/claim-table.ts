import { type Claim, claimKey, type Once } from '../types/index.ts';
import type { Statements } from './statements.ts';

/**
 * Whether the run of a claim is final or no longer kept. Looked up when its window ends: writing it into the claim, which
 * is at a random place of its table, would cost every run a page.
 */
const isHolderFinal = 'NOT EXISTS (SELECT 1 FROM runs WHERE runs.id = claims.run_id AND runs.finished_at IS NULL)';

/** The scope of claims of which only the key is known, which is their fingerprint: they were copied from another engine. */
export const keysScope = '/keys';

/** The dedup claims of runs. Every method is part of the caller's transaction. */
export class ClaimTable {
  readonly #sql: Statements;
  /** Whether there are claims in `keysScope`: no run adds one. Undefined: not looked up yet. */
  #hasKeys: boolean | undefined;

  constructor(sql: Statements) {
    this.#sql = sql;
  }

  /** The run that holds the fingerprint of a claim. */
  holder(claim: Once, now: number): string | undefined {
    const holder = this.#holder(claim, now);
    if (holder !== undefined) return holder;
    this.#hasKeys ??= this.#sql.get('SELECT 1 FROM claims WHERE scope = ? LIMIT 1', [keysScope]) !== undefined;
    if (!this.#hasKeys) return undefined;
    return this.#holder({ scope: keysScope, fingerprint: claimKey(claim) }, now);
  }

  #holder({ scope, fingerprint }: Once, now: number): string | undefined {
    const row = this.#sql.get(
      `SELECT run_id FROM claims WHERE scope = ? AND fingerprint = ?
         AND (until IS NULL OR until > ? OR NOT ${isHolderFinal})`,
      [scope, fingerprint, now],
    );
    return row === undefined ? undefined : String(row.run_id);
  }

  hold({ scope, fingerprint, windowMs }: Claim, runId: string, acceptedAt: number): void {
    const until = windowMs === undefined ? null : acceptedAt + windowMs;
    this.#sql.run('INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?)', [scope, fingerprint, runId, until]);
  }

  holdForever({ scope, fingerprint }: Once, runId: string): void {
    this.#sql.run('INSERT INTO claims VALUES (?, ?, ?, NULL)', [scope, fingerprint, runId]);
  }

  /** Unless another run holds the fingerprint by now. */
  release(scope: string, fingerprint: string, runId: string): void {
    const holder = [scope, fingerprint, runId];
    this.#sql.run('DELETE FROM claims WHERE scope = ? AND fingerprint = ? AND run_id = ?', holder);
  }

  /** Removes expired claims, up to `limit`. Returns how many. */
  tidy(now: number, limit: number): number {
    return this.#sql.run(
      `DELETE FROM claims WHERE (scope, fingerprint) IN (SELECT scope, fingerprint FROM claims
         WHERE until IS NOT NULL AND until <= ? AND ${isHolderFinal} LIMIT ${limit})`,
      [now],
    );
  }
}
