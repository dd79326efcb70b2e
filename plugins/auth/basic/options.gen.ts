// Generated from options.schema.json by schemas/generate.ts. Do not edit.

/**
 * Options of the basic auth plugin: callers send a name and a password (RFC 7617). Only behind TLS, since both are sent in clear text.
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
       * The caller's user name; runs and logs call it `basic:` and this.
       */
      name: string;
      /**
       * The accepted passwords of the caller. Several allow rotation without downtime.
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
       * The caller's user name; runs and logs call it `basic:` and this.
       */
      name: string;
      /**
       * The accepted passwords of the caller. Several allow rotation without downtime.
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
