// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the json-schema filter plugin.
 */
export interface Options {
  /**
   * JSON Schema that the body must satisfy: draft-07, or 2020-12 if its $schema says so. No references to other documents; patterns are RE2's. A body that may take long to validate is validated in the sandbox, a separate process.
   */
  schema:
    | {
        [k: string]: unknown;
      }
    | boolean;
  /**
   * Deadline of a validation in the sandbox. A longer one is an error, not a drop. Validation in place always terminates. In milliseconds.
   */
  timeout: number;
}
