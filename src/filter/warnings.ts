import { constantProblem, type Purpose } from './constant.ts';
import type { ExpressionProblem } from './expression-error.ts';
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

/** Warnings for valid expressions that are almost certainly mistakes. */
export function warningsOf(
  source: string,
  root: Node,
  nodes: readonly Node[],
  bindings: readonly string[] | undefined,
  purpose: Purpose,
): ExpressionProblem[] {
  const constant = constantProblem(source, root, purpose);
  const warnings = constant === undefined ? [] : [constant];
  if (bindings === undefined) return warnings;
  const reported = new Set<string>();
  let bound: ReadonlySet<string> | undefined;
  for (const { type, value, position } of nodes) {
    const name = String(value);
    if (type !== 'variable' || name === '' || name === '$' || reported.has(name)) continue;
    if (builtIns.has(name) || bindings.includes(name)) continue;
    bound ??= boundVariables(nodes);
    if (bound.has(name)) continue;
    reported.add(name);
    warnings.push({
      message: `$${name} is undefined: no such variable or function`,
      hint: `Available variables: ${bindings.map((binding) => `$${binding}`).join(', ')}.`,
      ...offsetOfToken(source, position, `$${name}`),
    });
  }
  return warnings;
}
