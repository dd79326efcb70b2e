// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the jsonata filter plugin.
 */
export interface Options {
  /**
   * JSONata (https://docs.jsonata.org) over the request's body. The request passes if $boolean of the result is true. $eval is not available; regular expressions are RE2's.
   */
  expression: string;
  /**
   * How long one evaluation may take. A longer one is an error, not a drop. In milliseconds.
   */
  timeout: number;
  /**
   * How deep an evaluation may nest, to stop endless recursion.
   */
  maxDepth: number;
  /**
   * How many items a sequence made by the expression may have.
   */
  maxSequence: number;
}
