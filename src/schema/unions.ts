import type { ErrorObject, ValidateFunction } from 'ajv';
import { compile, type Findings } from './compiler.ts';

/**
 * Ajv reports every error of every branch of `anyOf` and `oneOf`. Keeps only those of the branch that was most likely
 * meant; if no branch accepts the type of the value, one `type` error names all types.
 */
export function reduceUnions(errors: readonly ErrorObject[], rootSchema: object): readonly ErrorObject[] {
  let kept = errors.filter((error) => error.keyword !== 'if');
  const replacements: ErrorObject[] = [];
  for (const union of [...errors].reverse()) {
    if (!isUnion(union) || !kept.includes(union)) continue;
    const branches = union.schema.map((branch) => branchErrors(branch, union, rootSchema));
    const superseded = new Set([...branches.flat(), union].map(identity));
    kept = kept.filter((error) => !superseded.has(identity(error)));
    replacements.push(...best(branches, union, rootSchema));
  }
  return [...kept, ...replacements];
}

interface UnionError extends ErrorObject {
  readonly schema: readonly unknown[];
}

function isUnion(error: ErrorObject): error is UnionError {
  const isAmbiguous = Boolean(error.params.passingSchemas);
  return ['anyOf', 'oneOf'].includes(error.keyword) && Array.isArray(error.schema) && !isAmbiguous;
}

function best(branches: readonly ErrorObject[][], union: ErrorObject, rootSchema: object): readonly ErrorObject[] {
  const isTypeOfUnion = (error: ErrorObject): boolean =>
    error.keyword === 'type' && error.instancePath === union.instancePath;
  const fitting = branches.filter((errors) => !errors.some(isTypeOfUnion));
  const [first] = fitting.toSorted((left, right) => weight(left) - weight(right));
  if (first) return reduceUnions(first, rootSchema);
  const typeErrors = branches.flat().filter(isTypeOfUnion);
  const types = [...new Set(typeErrors.flatMap((error) => error.params.type))];
  // Where text is allowed as well, a number is only a number; elsewhere it is a secret written out.
  const secret = types.includes('string')
    ? undefined
    : typeErrors.find((error) => error.parentSchema?.pullcord === 'secret');
  const representative = secret ?? typeErrors[0];
  return representative ? [{ ...representative, params: { type: types } }] : [union];
}

/** A wrong constant shows that another branch was meant, more than any other fault does. */
function weight(errors: readonly ErrorObject[]): number {
  return errors.reduce((sum, { keyword }) => sum + (keyword === 'const' || keyword === 'enum' ? 10 : 1), 0);
}

const compiledBranches = new WeakMap<object, ValidateFunction>();

function branchErrors(branch: unknown, union: ErrorObject, rootSchema: object): ErrorObject[] {
  if (typeof branch !== 'object' || branch === null) return [];
  const check = compiledBranches.get(branch) ?? compileBranch(branch, rootSchema);
  if (!check) return [];
  compiledBranches.set(branch, check);
  const findings: Findings = { secrets: new Map(), amounts: new Map() };
  if (check.call(findings, union.data)) return [];
  return (check.errors ?? []).map((error) => ({
    ...error,
    instancePath: union.instancePath + error.instancePath,
  }));
}

function compileBranch(branch: object, rootSchema: object): ValidateFunction | undefined {
  const definitions = 'definitions' in rootSchema ? { definitions: rootSchema.definitions } : {};
  try {
    return compile({ ...definitions, ...branch });
  } catch {
    // The branch refers to its root and does not compile without it: the union is reported as a whole.
    return undefined;
  }
}

function identity({ instancePath, keyword, params }: ErrorObject): string {
  return `${instancePath} ${keyword} ${JSON.stringify(params)}`;
}
