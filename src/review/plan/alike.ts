/** Findings of more triggers than this are printed as one. */
export const mostRepeated = 3;

/** Something that is printed for one trigger, or for several that are alike in it. */
export interface Alike<T> {
  readonly one: T;
  /** The triggers that it is about; empty if it is about none. */
  readonly triggers: readonly string[];
}

/**
 * Merges findings that more than a few triggers share, each at the place of its first.
 * @param keyOf what is equal in findings that are alike; undefined: it is printed by itself
 */
export function mergeAlike<T extends { readonly trigger?: string | undefined }>(
  findings: readonly T[],
  keyOf: (one: T) => string | undefined,
): readonly Alike<T>[] {
  const byKey = Map.groupBy(findings, keyOf);
  return findings.flatMap((one): Alike<T>[] => {
    const key = keyOf(one);
    const alike = (key === undefined ? undefined : byKey.get(key)) ?? [one];
    const triggers = alike.flatMap(({ trigger }) => trigger ?? []);
    if (triggers.length <= mostRepeated) return [{ one, triggers: one.trigger === undefined ? [] : [one.trigger] }];
    return alike[0] === one ? [{ one, triggers }] : [];
  });
}

/** Warnings that differ in nothing but the trigger. */
export function warningKey<T extends { readonly code: string; readonly message: string; readonly trigger?: string }>({
  code,
  message,
  trigger,
}: T): string | undefined {
  return trigger === undefined ? undefined : JSON.stringify([code, message.replaceAll(trigger, '')]);
}
