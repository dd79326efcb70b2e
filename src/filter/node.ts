/** The members of JSONata's syntax tree nodes that the compiler reads. Each type of node has its own. */
export interface Node {
  readonly type: string;
  readonly value?: unknown;
  /** The end offset of its token in the expression. */
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

/** An expression that only the reference interpreter can evaluate. */
export class NotCompilable extends Error {}

/** A member that the parser sets on every node of a type. */
export function required<Value>(value: Value | undefined): Value {
  if (value === undefined) throw new NotCompilable('the compiler does not know its kind of syntax tree');
  return value;
}

/** Whether no predicate, grouping or `[]` follows that changes its value. */
export function isPlain({ predicate, stages, group, keepArray }: Omit<Node, 'type'>): boolean {
  return predicate === undefined && stages === undefined && group === undefined && keepArray !== true;
}

/** The direct child nodes, in any member. */
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

/** Annotations of the parser for `%`: not children, but references that repeat whole subtrees. */
const ancestry: ReadonlySet<string> = new Set(['ancestor', 'seekingParent', 'slot']);

/** Every node of a syntax tree, parents before children. */
export function nodesOf(root: Node): readonly Node[] {
  const nodes = new Set<Node>();
  // Iterative: a tree may be deeper than the call stack allows.
  const pending = [root];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    if (nodes.has(node)) continue;
    nodes.add(node);
    pending.push(...childrenOf(node).toReversed());
  }
  return [...nodes];
}

/** The names of all variables that an expression binds in any scope. */
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

/** Returns the result of an analysis, or the fallback if the expression nests too deeply for a recursive one. */
export function unlessTooDeep<Result>(analyse: () => Result, fallback: Result): Result {
  try {
    return analyse();
  } catch (error) {
    if (error instanceof RangeError) return fallback;
    throw error;
  }
}
