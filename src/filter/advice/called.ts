import type { ExpressionProblem } from '../expression-error.ts';
import { builtIns } from '../library/built-ins.ts';
import { type Node, nodesOf } from '../node.ts';
import { offsetOfToken } from '../parse.ts';
import { functionHint } from './foreign-functions.ts';
import { offsetOfName } from './written-names.ts';

/** Everything that is called as a function: of calls, of partial applications, and after `~>`. */
export function calledNodes(nodes: readonly Node[]): ReadonlySet<Node> {
  const called = new Set<Node>();
  for (const { type, procedure, rhs } of nodes) {
    if ((type === 'function' || type === 'partial') && procedure !== undefined) called.add(procedure);
    if (type === 'apply' && rhs?.type === 'variable') called.add(rhs);
  }
  return called;
}

/**
 * Calls that always fail: of a member, since JSON has no functions, and of a variable that holds none.
 * @param bindings the variables that evaluations receive
 */
export function callProblems(
  source: string,
  nodes: readonly Node[],
  { bindings, bound }: { readonly bindings: readonly string[]; readonly bound: ReadonlySet<string> },
): ExpressionProblem[] {
  const called = calledNodes(nodes);
  const problems: ExpressionProblem[] = [];
  let mayHold: boolean | undefined;
  for (const node of called) {
    if (node.type === 'variable') {
      const name = String(node.value);
      if (name === '' || name === '$' || bound.has(name)) continue;
      const place = offsetOfToken(source, node.position, `$${name}`);
      if (bindings.includes(name)) {
        problems.push({ message: `$${name} is not a function: calling it always fails`, ...place });
      } else if (!builtIns.has(name)) {
        problems.push({
          message: `there is no function $${name}: calling it always fails`,
          ...hintFor(name),
          ...place,
        });
      }
      continue;
    }
    const member = memberOf(node);
    if (member === undefined) continue;
    mayHold ??= mayHoldFunctions(nodes, called, bound);
    const name = String(member.value);
    // A match has a function `next`.
    if (mayHold || name === 'next') continue;
    problems.push({
      message: `${name}(…) calls a member as a function, which always fails`,
      ...hintFor(name),
      offset: offsetOfName(source, member),
    });
  }
  return problems;
}

function hintFor(name: string): { readonly hint: string } {
  const hint = functionHint(name);
  return { hint: hint ?? 'Names of functions start with $; https://docs.jsonata.org lists them.' };
}

/** The name that is called, of a call like `contains(…)` or `x.contains(…)`. */
function memberOf({ type, steps = [] }: Node): Node | undefined {
  const [only, ...more] = steps;
  return type === 'path' && only?.type === 'name' && more.length === 0 ? only : undefined;
}

/** Whether an object of the expression may have a function as a member, which it can call. */
function mayHoldFunctions(nodes: readonly Node[], called: ReadonlySet<Node>, bound: ReadonlySet<string>): boolean {
  const isFunction = (name: string) => builtIns.has(name) || bound.has(name);
  const objects = nodes.filter(({ type, value, group }) => (type === 'unary' && value === '{') || group !== undefined);
  return objects.some((object) =>
    nodesOf(object).some(
      (node) =>
        (node.type === 'lambda' && node.thunk !== true) ||
        (node.type === 'variable' && !called.has(node) && isFunction(String(node.value))),
    ),
  );
}
