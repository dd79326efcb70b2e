import type { ExpressionProblem } from '../expression-error.ts';
import type { Node } from '../node.ts';
import type { BindingShape } from './binding-shape.ts';
import { closestName } from './closest-name.ts';
import { memberNamed, offsetOfName } from './written-names.ts';

type Shapes = Readonly<Record<string, BindingShape>>;

/**
 * Members that a variable never has, such as a header that the options do not list, and predicates that look like the access
 * to a member: `x["name"]`.
 * @param isReported whether something else is reported of the name at this offset
 */
export function memberProblems(
  source: string,
  nodes: readonly Node[],
  shapes: Shapes,
  bound: ReadonlySet<string>,
  isReported: (offset: number) => boolean,
): ExpressionProblem[] {
  const problems: ExpressionProblem[] = [];
  const report = (problem: ExpressionProblem | undefined) => {
    if (problem !== undefined && !isReported(problem.offset ?? 0)) problems.push(problem);
  };
  for (const node of nodes) {
    if (node.type === 'path') report(problemOfPath(source, node.steps ?? [], shapes, bound));
    if (node.type === 'function') report(problemOfLookup(source, node, shapes, bound));
    for (const { expr } of [...(node.predicate ?? []), ...(node.stages ?? [])]) {
      if (expr?.type === 'string') report(problemOfPredicate(source, expr, reachedAt(nodes, node, shapes, bound)));
    }
  }
  return problems;
}

function problemOfPath(
  source: string,
  steps: readonly Node[],
  shapes: Shapes,
  bound: ReadonlySet<string>,
): ExpressionProblem | undefined {
  const reached = reachedShape(steps, shapes, bound);
  return reached?.missing && problemOf(source, reached.missing, String(reached.missing.value), reached);
}

interface Reached {
  readonly shape: BindingShape;
  readonly path: string;
  /** The step that the shape does not have. */
  readonly missing?: Node;
}

/** Follows the names of a path from its variable; undefined if it does not begin with one, or takes another kind of step. */
function reachedShape(
  [first, ...names]: readonly Node[],
  shapes: Shapes,
  bound: ReadonlySet<string>,
): Reached | undefined {
  const variable = String(first?.value);
  if (first?.type !== 'variable' || bound.has(variable) || !Object.hasOwn(shapes, variable)) return undefined;
  let shape = shapes[variable] ?? {};
  let path = `$${variable}`;
  for (const step of names) {
    const name = String(step.value);
    if (step.type !== 'name' || shape.members === undefined) return undefined;
    const next = Object.hasOwn(shape.members, name) ? shape.members[name] : undefined;
    if (next === undefined) return { shape, path, missing: step };
    shape = next;
    path = `${path}.${memberNamed(name)}`;
  }
  return { shape, path };
}

/** `$lookup($request.headers, "origin")` with a name that is known. */
function problemOfLookup(
  source: string,
  { procedure, arguments: given = [] }: Node,
  shapes: Shapes,
  bound: ReadonlySet<string>,
): ExpressionProblem | undefined {
  const [object, name] = given;
  if (procedure?.type !== 'variable' || procedure.value !== 'lookup' || name?.type !== 'string') return undefined;
  const reached = object?.type === 'path' ? reachedShape(object.steps ?? [], shapes, bound) : undefined;
  const { members } = reached?.shape ?? {};
  if (reached === undefined || reached.missing !== undefined || members === undefined) return undefined;
  return Object.hasOwn(members, String(name.value)) ? undefined : problemOf(source, name, String(name.value), reached);
}

function problemOf(source: string, node: Node, name: string, { shape, path }: Reached): ExpressionProblem {
  const names = Object.keys(shape.members ?? {});
  const near = closestName(name, names);
  const list = names.length === 0 ? `${path} has no members.` : `It has ${names.map(memberNamed).join(', ')}.`;
  return {
    message: `${path} has no member ${memberNamed(name)}: it is always missing`,
    hint: shape.hint?.(name) ?? (near === undefined ? list : `Did you mean ${path}.${memberNamed(near)}?`),
    offset: offsetOfName(source, node),
  };
}

/** What the path has reached at a step. */
function reachedAt(
  nodes: readonly Node[],
  step: Node,
  shapes: Shapes,
  bound: ReadonlySet<string>,
): Reached | undefined {
  const steps = nodes.find((node) => node.type === 'path' && node.steps?.includes(step) === true)?.steps ?? [step];
  return reachedShape(steps.slice(0, steps.indexOf(step) + 1), shapes, bound);
}

function problemOfPredicate(
  source: string,
  { value, position }: Node,
  reached: Reached | undefined,
): ExpressionProblem {
  const name = String(value);
  const { members } = reached?.shape ?? {};
  const isMissing = reached !== undefined && members !== undefined && !Object.hasOwn(members, name);
  const more = isMissing ? ` ${reached.shape.hint?.(name) ?? ''}`.trimEnd() : '';
  return {
    message: `["${name}"] does not read a member: it is a predicate that ${name === '' ? 'nothing' : 'everything'} passes`,
    hint: `Write ${reached?.path ?? ''}.${memberNamed(name)} to read the member.${more}`,
    offset: offsetOfName(source, { type: 'string', value, position: position ?? 0 }),
  };
}
