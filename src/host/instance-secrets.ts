/** The secrets in the options of instances, by what their `create` returned: for texts in which they must not appear. */
const known = new WeakMap<object, readonly string[]>();

export function rememberSecrets(instance: object, secrets: readonly string[]): void {
  if (secrets.length > 0) known.set(instance, secrets);
}

export function secretsOf(instance: object): readonly string[] {
  return known.get(instance) ?? [];
}
