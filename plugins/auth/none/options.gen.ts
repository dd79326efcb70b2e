// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the none auth plugin: everyone who can reach the gateway may fire the trigger.
 */
export interface Options {
  /**
   * The id of every caller in runs and logs.
   */
  id: string;
  /**
   * What every caller may do: project.trigger fires a trigger and reads or cancels its own runs, project.runs those of others too.
   */
  permissions: ('project.trigger' | 'project.runs')[];
}
