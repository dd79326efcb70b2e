// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the none auth plugin: whoever can reach the gateway is let in.
 */
export interface Options {
  /**
   * What runs and logs call every caller.
   */
  id: string;
  /**
   * What every caller may do: project.trigger fires a trigger and reads or cancels its own runs, project.runs those of others too.
   */
  permissions: ('project.trigger' | 'project.runs')[];
}
