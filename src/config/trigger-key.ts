declare const folded: unique symbol;

/** A trigger's key in the form in which keys are compared and looked up. People read it as written in YAML. */
export type TriggerKey = string & { readonly [folded]: true };

/** How a request, a run or a recording names a trigger: the key in any case. */
export interface TriggerName {
  readonly project: string;
  readonly trigger: string;
}

/** Keys are matched without regard to case. This is the one place that folds it. */
export function foldKey(written: string): TriggerKey {
  // The type is nominal: nothing but this function makes one.
  return written.toLowerCase() as TriggerKey;
}

export function sameKey(one: string, other: string): boolean {
  return foldKey(one) === foldKey(other);
}

export function sameTrigger(one: TriggerName, other: TriggerName): boolean {
  return one.project === other.project && sameKey(one.trigger, other.trigger);
}

/** Identifies a trigger of the organization, however its key is written. */
export function triggerId(project: string, key: string): string {
  return `${project}/${foldKey(key)}`;
}

/** `project/key` as written in YAML, for people. */
export function triggerName({
  project,
  key,
}: {
  readonly project: { readonly id: string };
  readonly key: string;
}): string {
  return `${project.id}/${key}`;
}
