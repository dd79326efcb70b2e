/** Where a secret is, as written in YAML: an environment variable, or a file whose path starts at the folder of the config file. */
export type SecretReference = { readonly env: string } | { readonly file: string };

/**
 * Options as they are before their secrets are read: defaults are filled in, and a secret is still its reference. Types
 * do not distinguish a secret from another string, so that any string may be a reference here.
 * @experimental
 */
export type UnresolvedOptions<Options> = Options extends unknown
  ? string extends Options
    ? Options | SecretReference
    : Options extends object
      ? { readonly [Name in keyof Options]: UnresolvedOptions<Options[Name]> }
      : Options
  : never;
