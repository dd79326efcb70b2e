// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the basic auth plugin: callers show a name and a password (RFC 7617). Only behind TLS, since both travel as they are.
 */
export interface Options {
  /**
   * Who may call.
   *
   * @minItems 1
   *
   * Items: One caller.
   */
  users: [
    {
      /**
       * What the caller shows as its name; runs and logs call it `basic:` and this.
       */
      name: string;
      /**
       * What the caller may show as its password. Several while it changes.
       *
       * @minItems 1
       */
      passwords: [string, ...string[]];
      /**
       * Ids of the projects that the caller may use; `*` for every one.
       *
       * @minItems 1
       */
      projects: [string, ...string[]];
      /**
       * What the caller may do: project.trigger fires a trigger and reads or cancels its own runs, project.runs those of others too.
       */
      permissions: ('project.trigger' | 'project.runs')[];
    },
    ...{
      /**
       * What the caller shows as its name; runs and logs call it `basic:` and this.
       */
      name: string;
      /**
       * What the caller may show as its password. Several while it changes.
       *
       * @minItems 1
       */
      passwords: [string, ...string[]];
      /**
       * Ids of the projects that the caller may use; `*` for every one.
       *
       * @minItems 1
       */
      projects: [string, ...string[]];
      /**
       * What the caller may do: project.trigger fires a trigger and reads or cancels its own runs, project.runs those of others too.
       */
      permissions: ('project.trigger' | 'project.runs')[];
    }[]
  ];
}
