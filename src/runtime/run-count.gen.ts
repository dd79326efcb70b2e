// Generated from schemas/source/run-count.schema.json by schemas/generate.ts. Do not edit.

/**
 * The answer to `GET /runs/count` on the admin listener: how many runs match. Members may be added; none is removed or gets another meaning.
 */
export interface RunCountDocument {
  /**
   * How many match, at most 100,000.
   */
  count: number;
  /**
   * Whether counting ended at its bound or after its time, 3 s: there may be more.
   */
  more: boolean;
  /**
   * The same by state, those that occur.
   */
  states: {
    /**
     * How many wait for an attempt.
     */
    queued?: number;
    /**
     * How many are executed.
     */
    running?: number;
    /**
     * How many have succeeded.
     */
    succeeded?: number;
    /**
     * How many have failed.
     */
    failed?: number;
    /**
     * How many were cancelled.
     */
    cancelled?: number;
    /**
     * How many ended with a question of the agent.
     */
    input_required?: number;
  };
}
