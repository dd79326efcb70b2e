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
  /** Of a predicate. */
  readonly expr?: Node;
  /** The variable that `@` binds. */
  readonly focus?: string;
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

/** Whether nothing follows it that makes another value of its own: no predicate, no grouping, no `[]`. */
export function isPlain({ predicate, stages, group, keepArray }: Omit<Node, 'type'>): boolean {
  return predicate === undefined && stages === undefined && group === undefined && keepArray !== true;
}

/** The nodes right below one, whatever the member that they hang on. */
export function childrenOf(node: object): readonly Node[] {
  const children: Node[] = [];
  const collect = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || value instanceof RegExp) return;
    if ('type' in value) children.push(value as Node);
    else for (const member of Object.values(value)) collect(member);
  };
  for (const [name, member] of Object.entries(node)) if (!ancestry.has(name)) collect(member);
  return children;
}

/** What the parser notes of `%`: no nodes, but in each node all of those below it once more. */
const ancestry: ReadonlySet<string> = new Set(['ancestor', 'seekingParent', 'slot']);

/** Every node of a syntax tree, each before those below it. */
export function nodesOf(root: Node): readonly Node[] {
  const nodes = new Set<Node>();
  // Not by calls: a tree may be deeper than they can nest.
  const pending = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (nodes.has(node)) continue;
    nodes.add(node);
    pending.push(...childrenOf(node).toReversed());
  }
  return [...nodes];
}

/** The names of all variables that an expression binds anywhere. */
export function boundVariables(nodes: readonly Node[]): ReadonlySet<string> {
  const names = nodes.flatMap((node) => {
    if (node.type === 'bind') return [(node.lhs as Node).value];
    // Steps of a path may be bound to a variable with `@` and `#`.
    const { focus, index } = node as { focus?: unknown; index?: unknown };
    const parameters = node.type === 'lambda' ? (node.arguments ?? []) : [];
    return [...parameters.map(({ value }) => value), focus, index];
  });
  return new Set(names.map(String));
}

/** What can be told of an expression, unless it nests so deep that it can just be parsed: calls cannot follow it then. */
export function unlessTooDeep<Told>(tell: () => Told, nothing: Told): Told {
  try {
    return tell();
  } catch (error) {
    if (error instanceof RangeError) return nothing;
    throw error;
  }
}
