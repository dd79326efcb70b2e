// Generated from schemas/source/filter-trial.schema.json by schemas/generate.ts. Do not edit.

/**
 * The answer of `POST /filters/try` on the admin listener: what another expression of a filter decides of recorded requests. Members may be added; none is removed or gets another meaning.
 */
export interface FilterTrialDocument {
  /**
   * How many recorded requests were judged, the latest ones.
   */
  judged: number;
  /**
   * How many were not: their body is masked or was not recorded.
   */
  notJudged: number;
  committed: FilterOutcomes;
  /**
   * What they decide with the other expression.
   */
  tried: {
    /**
     * How many pass.
     */
    passed: number;
    /**
     * How many are dropped.
     */
    dropped: number;
    /**
     * How many cannot be evaluated.
     */
    errors: number;
  };
  /**
   * Requests that would get a different verdict, the latest first, at most 100.
   */
  changes: FilterTrialChange[];
  /**
   * Whether there are further changes.
   */
  hasMore: boolean;
  /**
   * How long all filters took for all requests with the other expression, in milliseconds.
   */
  durationMs: number;
}
/**
 * What all filters decide as they serve.
 */
export interface FilterOutcomes {
  /**
   * How many pass.
   */
  passed: number;
  /**
   * How many are dropped.
   */
  dropped: number;
  /**
   * How many cannot be evaluated.
   */
  errors: number;
}
/**
 * A request whose verdict differs.
 */
export interface FilterTrialChange {
  /**
   * Its id.
   */
  id: string;
  /**
   * When it arrived, in UTC.
   */
  receivedAt: string;
  /**
   * As they serve.
   */
  from: 'passed' | 'dropped' | 'error';
  /**
   * With the other expression.
   */
  to: 'passed' | 'dropped' | 'error';
}
