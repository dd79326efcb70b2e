// Generated from schemas/source/limits.schema.json by schemas/generate.ts. Do not edit.

/**
 * The answer of `GET /limits` on the admin listener: what limits have used and have left. Members may be added; none is removed or gets another meaning.
 */
export interface LimitsDocument {
  /**
   * The limits, in the order: gateway, projects, triggers, keys.
   */
  limits: LimitDocument[];
}
/**
 * A limit.
 */
export interface LimitDocument {
  /**
   * Its id.
   */
  id: string;
  /**
   * Its name, as answers have it.
   */
  name: string;
  /**
   * Where it is declared.
   */
  level: 'gateway' | 'project' | 'trigger' | 'key';
  /**
   * What it counts; `cost` in the currency of the prices.
   */
  unit: 'requests' | 'runs' | 'tokens' | 'cost';
  /**
   * What it counts apart: `key`, `ip`, `session`, `trigger`, `project` or an expression. Null: everything together.
   */
  per: string | null;
  /**
   * `shadow`: it refuses nothing.
   */
  mode: 'enforce' | 'shadow';
  /**
   * How much it allows in its window.
   */
  limit: number;
  /**
   * What was counted, by value of `per`, those that have used most first.
   */
  counters: LimitCounterDocument[];
  /**
   * Whether there are further values.
   */
  hasMore: boolean;
}
/**
 * What was counted for one value.
 */
export interface LimitCounterDocument {
  /**
   * The value of `per`; empty without one.
   */
  value: string;
  /**
   * How much is used.
   */
  used: number;
  /**
   * How much is set apart for runs that have not ended.
   */
  reserved: number;
  /**
   * How much is left; below 0 where runs took more than was expected.
   */
  left: number;
  /**
   * When it is as if nothing had been counted, in UTC.
   */
  resetsAt: string;
}
