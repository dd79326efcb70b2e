/** A node of JSONata's syntax tree, as far as the compiler reads it. Each type has its own members. */
export interface Node {
  readonly type: string;
  readonly value?: unknown;
  /** Where its token ends in the expression. */
  readonly position?: number;
  readonly steps?: readonly Node[];
  readonly predicate?: readonly Stage[];
  readonly stages?: readonly Stage[];
  readonly group?: Group;
  readonly lhs?: unknown;
  readonly rhs?: Node;
  readonly expression?: Node;
  readonly expressions?: readonly Node[];
  readonly procedure?: Node;
  readonly arguments?: readonly Node[];
  readonly body?: Node;
  readonly signature?: { readonly definition: string };
  readonly condition?: Node;
  readonly then?: Node;
  readonly else?: Node;
  readonly terms?: readonly { readonly descending: boolean; readonly expression: Node }[];
  readonly thunk?: true;
  readonly tuple?: true;
  readonly keepArray?: true;
  readonly keepSingletonArray?: true;
  readonly consarray?: true;
}

/** A predicate of a step. */
export interface Stage {
  readonly type: string;
  readonly expr: Node;
}

/** What `{ key: value, … }` groups by. */
export interface Group {
  readonly lhs: readonly (readonly [Node, Node])[];
  readonly position?: number;
}

/** An expression that is for the reference interpreter. */
export class NotCompilable extends Error {}

/** A member that the parser gives to every node of a type. */
export function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new NotCompilable('its syntax tree is not one that the compiler knows');
  return value;
}
