/** Where a secret is, as written in YAML: an environment variable, or a file whose path starts at the folder of the config file. */
export type SecretReference = { readonly env: string } | { readonly file: string };
