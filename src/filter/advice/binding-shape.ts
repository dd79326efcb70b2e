/** What members a variable has that evaluations receive, so that an expression that reads another one can be reported. */
export interface BindingShape {
  /** Absent: any. */
  readonly members?: Readonly<Record<string, BindingShape>>;
  /** What to do about a member that is not there; by default the nearest of the members, or their list. */
  readonly hint?: (name: string) => string | undefined;
}

/** The variables that evaluations receive: their names, or also what they have. */
export type BindingNames = readonly string[] | Readonly<Record<string, BindingShape>>;

const anything: BindingShape = {};

export function shapesOf(bindings: BindingNames): Readonly<Record<string, BindingShape>> {
  return isList(bindings) ? Object.fromEntries(bindings.map((name) => [name, anything])) : bindings;
}

function isList(bindings: BindingNames): bindings is readonly string[] {
  return Array.isArray(bindings);
}
