// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the json-schema filter plugin.
 */
export interface Options {
  /**
   * JSON Schema that the body must satisfy: draft-07, or 2020-12 if its $schema says so. No references to other documents; patterns are RE2's.
   */
  schema:
    | {
        [k: string]: unknown;
      }
    | boolean;
}
