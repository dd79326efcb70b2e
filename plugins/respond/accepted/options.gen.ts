// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the accepted respond plugin.
 */
export interface Options {}
