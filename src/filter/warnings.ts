import { type BindingNames, type BindingShape, shapesOf } from './advice/binding-shape.ts';
import { calledNodes, callProblems } from './advice/called.ts';
import { closestName } from './advice/closest-name.ts';
import { dashedNames, dashProblem } from './advice/dashes.ts';
import { lookalikeProblems } from './advice/lookalikes.ts';
import { memberProblems } from './advice/members.ts';
import { operatorProblems } from './advice/operators.ts';
import { constantProblem, type Purpose } from './constant.ts';
import { ExpressionError, type ExpressionProblem } from './expression-error.ts';
import { builtIns } from './library/built-ins.ts';
import { boundVariables, type Node } from './node.ts';
import { offsetOfToken } from './parse.ts';

/** The names of the variables that an expression reads or binds. */
export function variablesOf(nodes: readonly Node[]): Set<string> {
  const names = new Set<string>();
  for (const { type, value } of nodes) {
    if (type === 'variable' && value !== '' && value !== '$') names.add(String(value));
  }
  return names;
}

/**
 * Warnings for valid expressions that are almost certainly mistakes. Throws an ExpressionError if the expression calls what
 * cannot be a function. All but that it is constant needs to know the bindings.
 */
export function warningsOf(
  source: string,
  root: Node,
  nodes: readonly Node[],
  bindings: BindingNames | undefined,
  purpose: Purpose,
): ExpressionProblem[] {
  const constant = constantProblem(source, root, purpose);
  const warnings = constant === undefined ? [] : [constant];
  if (bindings === undefined) return warnings;
  const shapes = shapesOf(bindings);
  const names = Object.keys(shapes);
  const bound = boundVariables(nodes);
  const errors = callProblems(source, nodes, { bindings: names, bound });
  if (errors.length > 0) throw new ExpressionError(errors);
  const dashed = dashedNames(source, nodes);
  const headers = shapes.request?.members?.headers;
  return [
    ...warnings,
    ...unboundVariables(source, nodes, shapes, bound),
    ...[...dashed.values()].map((name) => dashProblem(source, name, headers)),
    ...lookalikeProblems(source, nodes),
    ...memberProblems(source, nodes, shapes, bound, (offset) => dashed.has(offset)),
    ...operatorProblems(source, nodes),
  ];
}

function unboundVariables(
  source: string,
  nodes: readonly Node[],
  shapes: Readonly<Record<string, BindingShape>>,
  bound: ReadonlySet<string>,
): ExpressionProblem[] {
  const bindings = Object.keys(shapes);
  const called = calledNodes(nodes);
  const reported = new Set<string>();
  const problems: ExpressionProblem[] = [];
  for (const node of nodes) {
    const name = String(node.value);
    if (node.type !== 'variable' || name === '' || name === '$' || reported.has(name) || called.has(node)) continue;
    if (builtIns.has(name) || bindings.includes(name) || bound.has(name)) continue;
    reported.add(name);
    problems.push({
      message: `$${name} is undefined: no such variable or function`,
      hint: `${meant(name, shapes)}Available variables: ${bindings.map((binding) => `$${binding}`).join(', ')}.`,
      ...offsetOfToken(source, node.position, `$${name}`),
    });
  }
  return problems;
}

/** Names that other products give to the body. */
const bodyNames: ReadonlySet<string> = new Set(['body', 'payload', 'json', 'data', 'event', 'input', 'msg', 'message']);

function meant(name: string, shapes: Readonly<Record<string, BindingShape>>): string {
  if (bodyNames.has(name)) return 'The body is $: write the names of its members, such as customer.plan. ';
  const owner = Object.keys(shapes).find((binding) => Object.hasOwn(shapes[binding]?.members ?? {}, name));
  if (owner !== undefined) return `Did you mean $${owner}.${name}? `;
  const names = [...Object.keys(shapes), ...builtIns.keys()];
  const near = names.find((one) => name.length > 2 && one.startsWith(name)) ?? closestName(name, names);
  return near === undefined ? '' : `Did you mean $${near}? `;
}
