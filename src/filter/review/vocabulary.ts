import type { Vocabulary } from '../filter-expression.ts';
import { childrenOf, type Node } from '../node.ts';
import { sampleOf } from './sample.ts';

/** Maximum number of paths, and of constants. */
const mostWords = 100;
/** Maximum length of a path, in names. Deeper members are not listed. */
const longestPath = 100;
/** Budget of nodes visited, paths created and variables passed on: functions are analysed again for each call. */
const mostSteps = 50_000;

/** Collects the input paths that an expression reads, and its literals. */
export function vocabularyOf(root: Node): Vocabulary {
  const reader = new Reader();
  reader.read(root, { at: [[]], variables: new Map() });
  return { paths: [...reader.paths.values()], constants: [...reader.constants] };
}

type Path = readonly string[];

/** The members of the input that a value may be; empty: it is something else. */
interface Origin {
  readonly paths: readonly Path[];
  /** The lambda to call, if the value is a function of the expression. */
  readonly lambda?: { readonly node: Node; readonly scope: Scope };
}

interface Scope {
  /** The context value there, `$`. */
  readonly at: readonly Path[];
  readonly variables: ReadonlyMap<string, Origin>;
}

const unknown: Origin = { paths: [] };
/** Built-ins that return their first argument, or items of it. */
const selecting: ReadonlySet<string> = new Set([
  ...['filter', 'single', 'sort', 'reverse', 'shuffle', 'distinct', 'clone', 'append', 'merge'],
]);
/** Built-ins that pass items of their first argument to their second. */
const iterating: ReadonlySet<string> = new Set(['map', 'filter', 'single', 'sort', 'reduce']);

class Reader {
  readonly paths = new Map<string, Path>();
  readonly constants = new Set<string | number | boolean | null>();
  readonly #called = new Set<Node>();
  #steps = 0;

  read(node: Node, scope: Scope): Origin {
    this.#steps += 1;
    if (this.#steps > mostSteps) return unknown;
    if (node.type === 'path') return this.#readPath(node, scope);
    const bare = this.#readBare(node, scope);
    const { predicate, group } = node;
    this.#readAll(childrenOf({ predicate, group }), { ...scope, at: bare.paths });
    return bare;
  }

  #readBare(node: Node, scope: Scope): Origin {
    switch (node.type) {
      case 'string':
      case 'number':
      case 'value':
      case 'regex':
        this.#addConstant(node.value);
        return unknown;
      case 'variable':
        return originOf(String(node.value), scope);
      case 'filter':
        // A number in a predicate is an index.
        if (node.expr !== undefined && node.expr.type !== 'number') this.read(node.expr, scope);
        return unknown;
      case 'block':
        return this.#readBlock(node.expressions ?? [], scope);
      case 'bind':
        return node.rhs === undefined ? unknown : this.read(node.rhs, scope);
      case 'condition': {
        if (node.condition !== undefined) this.read(node.condition, scope);
        return union([node.then, node.else].map((branch) => (branch ? this.read(branch, scope) : unknown)));
      }
      case 'function':
        return this.#readCall(node, [], scope);
      case 'apply':
        return this.#readApply(node, scope);
      case 'lambda':
        return this.#readLambda(node, scope);
      case 'unary':
        if (node.value === '[') return union((node.expressions ?? []).map((item) => this.read(item, scope)));
        return this.#readAll(childrenOf({ operand: node.expression, pairs: node.lhs }), scope);
      case 'transform':
        // Its context is the value passed to it.
        return this.#readAll(childrenOf(node), { ...scope, at: [] });
      default:
        return this.#readAll(childrenOf({ ...node, predicate: [], stages: [], group: [] }), scope);
    }
  }

  #readAll(nodes: readonly Node[], scope: Scope): Origin {
    for (const node of nodes) this.read(node, scope);
    return unknown;
  }

  /** A sequence of statements: each sees the variables that earlier ones bind. */
  #readBlock(statements: readonly Node[], scope: Scope): Origin {
    const variables = new Map(scope.variables);
    let last = unknown;
    for (const statement of statements) {
      last = this.read(statement, { ...scope, variables });
      if (statement.type === 'bind') variables.set(String((statement.lhs as Node).value), last);
    }
    return last;
  }

  #readPath(node: Node, scope: Scope): Origin {
    let { at, variables } = scope;
    const steps = node.steps ?? [];
    for (const [index, step] of steps.entries()) {
      const here = { at, variables };
      const isName = step.type === 'name';
      const next = isName ? this.#extend(at, step) : this.#readStep(step, here);
      const stages = [...(step.stages ?? []), ...(isName ? (step.predicate ?? []) : [])];
      const goesOn = stages.length === 0 && steps[index + 1]?.type === 'name';
      if (isName && !goesOn) for (const path of next) this.#addPath(path);
      this.#readAll(stages as readonly Node[], { at: next, variables });
      if (step.focus === undefined) at = next;
      else variables = new Map(variables).set(step.focus, { paths: next });
    }
    this.#readAll(childrenOf({ group: node.group }), { at, variables });
    return { paths: at };
  }

  #readStep(step: Node, scope: Scope): readonly Path[] {
    if (step.type !== 'sort') return this.read(step, scope).paths;
    for (const { expression } of step.terms ?? []) this.read(expression, scope);
    return scope.at;
  }

  #readApply(node: Node, scope: Scope): Origin {
    const piped = this.read(node.lhs as Node, scope);
    const { rhs } = node;
    if (rhs === undefined) return unknown;
    if (rhs.type === 'function') return this.#readCall(rhs, [piped], scope);
    return this.#call(rhs, this.read(rhs, scope), [piped]);
  }

  #readCall(node: Node, piped: readonly Origin[], scope: Scope): Origin {
    const { procedure, arguments: written = [] } = node;
    if (procedure === undefined) return unknown;
    const called = procedure.type === 'path' ? unknown : this.read(procedure, scope);
    const given = [...piped, ...written.map((argument) => this.read(argument, scope))];
    const [first, key] = written;
    if (procedure.value === 'lookup' && first !== undefined && key?.type === 'string') {
      const paths = this.#extend(given[0]?.paths ?? [], key);
      for (const path of paths) this.#addPath(path);
      return { paths };
    }
    return this.#call(procedure, called, given);
  }

  #call(procedure: Node, called: Origin, given: readonly Origin[]): Origin {
    if (called.lambda !== undefined) return this.#follow(called, given);
    const name = String(procedure.value);
    const [list = unknown, callback = unknown] = given;
    if (iterating.has(name)) {
      // The second parameter of the others is an index.
      const mapped = this.#follow(callback, name === 'reduce' || name === 'sort' ? [list, list] : [list]);
      if (name === 'map') return mapped;
    }
    return selecting.has(name) ? union(name === 'append' ? given : [list]) : unknown;
  }

  /** Reads a function's body again, with the arguments of this call. */
  #follow({ lambda }: Origin, given: readonly Origin[]): Origin {
    if (lambda === undefined || this.#called.has(lambda.node)) return unknown;
    const { node, scope } = lambda;
    this.#called.add(node);
    const parameters = (node.arguments ?? []).map(
      ({ value }, index) => [String(value), given[index] ?? unknown] as const,
    );
    // The scopes are copied for each call.
    this.#steps += scope.variables.size;
    const variables = new Map([...scope.variables, ...parameters]);
    const result = node.body === undefined ? unknown : this.read(node.body, { ...scope, variables });
    this.#called.delete(node);
    return result;
  }

  #readLambda(node: Node, scope: Scope): Origin {
    if (node.thunk === true) return node.body === undefined ? unknown : this.read(node.body, scope);
    const origin: Origin = { paths: [], lambda: { node, scope } };
    // It may have callers that this analysis does not see.
    this.#follow(origin, []);
    return origin;
  }

  #extend(paths: readonly Path[], { value }: Node): readonly Path[] {
    this.#steps += paths.length;
    if (this.#steps > mostSteps) return [];
    return paths.filter(({ length }) => length < longestPath).map((path) => [...path, String(value)]);
  }

  #addPath(path: Path): void {
    if (this.paths.size < mostWords) this.paths.set(JSON.stringify(path), path);
  }

  #addConstant(value: unknown): void {
    if (this.constants.size >= mostWords) return;
    const constant = value instanceof RegExp ? sampleOf(value) : value;
    if (constant === null || ['string', 'number', 'boolean'].includes(typeof constant)) {
      this.constants.add(constant as string | number | boolean | null);
    }
  }
}

function originOf(name: string, { at, variables }: Scope): Origin {
  if (name === '') return { paths: at };
  return name === '$' ? { paths: [[]] } : (variables.get(name) ?? unknown);
}

/** Capped at the number of paths that are listed: each step of a path may combine all paths of the step before. */
function union(origins: readonly Origin[]): Origin {
  const paths = new Set<Path>();
  for (const origin of origins) {
    for (const path of origin.paths) {
      if (paths.size === mostWords) return { paths: [...paths] };
      paths.add(path);
    }
  }
  return { paths: [...paths] };
}
