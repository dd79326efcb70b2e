/** What was exported from a damaged store into a new one. */
export interface Recovery {
  /** The damaged store, which is unchanged, and the new one. */
  readonly from: string;
  readonly to: string;
  /** How many of each are in the new store. */
  readonly runs: number;
  readonly claims: number;
  readonly conversations: number;
  readonly notifications: number;
  readonly recordings: number;
  /** Of the audit trail. */
  readonly auditEntries: number;
  /** Of credentials that may be used a limited number of times. */
  readonly uses: number;
  /** Of counters of limits. */
  readonly limits: number;
  /** Pages that could not be read, and rows on others that could not. */
  readonly damagedPages: number;
  readonly lostRows: number;
  /** Ids of runs of which only an index knows. */
  readonly lostRuns: readonly string[];
  /** Ids of runs that had not ended and whose input is lost: they are failed in the new store. */
  readonly failedRuns: readonly string[];
  /** Claims that were lost, and made again from their runs, which have not ended. */
  readonly remadeClaims: number;
}
