import { Slices } from '../config/slices.ts';
import type { ExplainedCondition, JsonObject, JsonValue } from '../contract/index.ts';
import type { Explanation } from './explain.ts';
import type { SmallestChange } from './explanation.gen.ts';

/** How much is tried. */
const most = { edits: 3, explanations: 100, ms: 500 };

interface Edit {
  readonly path: readonly string[];
  readonly to: JsonValue;
}

/**
 * A change of the body with which a request that a filter drops would pass all filters; undefined if none is found. Each condition
 * that fails proposes values; what is returned has been tried. Found step by step, so a smaller one may exist where conditions
 * depend on each other.
 * @param explain explains the same request with another body
 */
export async function smallestChange(
  first: Explanation,
  explain: (request: Explanation['request']) => Promise<Explanation>,
): Promise<SmallestChange | undefined> {
  // Nobody knows what a body was that was not recorded.
  if (first.request.omitted !== undefined) return undefined;
  let body = bodyOf(first);
  if (first.outcome.verdict !== 'dropped' || body === undefined) return undefined;
  const endsAt = performance.now() + most.ms;
  const slices = new Slices();
  let left = most.explanations;
  let current = first;
  const edits: Edit[] = [];
  while (edits.length < most.edits) {
    let best: { readonly edit: Edit; readonly body: JsonObject; readonly explanation: Explanation } | undefined;
    for (const edit of proposals(current)) {
      if (left === 0 || performance.now() > endsAt) return undefined;
      left -= 1;
      await slices.next();
      const edited = withEdit(body, edit);
      if (edited === undefined) continue;
      const explanation = await explain({ ...first.request, bodyText: JSON.stringify(edited) });
      if (isBetter(explanation, best?.explanation ?? current)) best = { edit, body: edited, explanation };
      if (!isStopped(explanation)) break;
    }
    if (best === undefined) return undefined;
    edits.push(best.edit);
    ({ body, explanation: current } = best);
    if (!isStopped(current)) {
      return { edits: edits.map(({ path, to }) => ({ pointer: pointerOf(path), to })), body };
    }
  }
  return undefined;
}

function isStopped({ outcome: { verdict } }: Explanation): boolean {
  return verdict === 'dropped' || verdict === 'refused';
}

/** Whether a request gets further, or fails fewer conditions. */
function isBetter(one: Explanation, other: Explanation): boolean {
  if (one.outcome.verdict === 'refused') return false;
  const [passed, passedBefore] = [one, other].map(
    ({ stages }) => stages.filter(({ result }) => result === 'passed').length,
  );
  if (passed !== passedBefore) return (passed ?? 0) > (passedBefore ?? 0);
  return failing(one).length < failing(other).length;
}

function failing({ stages }: Explanation): readonly ExplainedCondition[] {
  const stopped = stages.find(({ result }) => result === 'stopped');
  return stopped?.conditions.filter(({ passes }) => !passes) ?? [];
}

function proposals(explanation: Explanation): readonly Edit[] {
  return failing(explanation).flatMap(proposalsOf);
}

function proposalsOf({ source, operator, parts = [] }: ExplainedCondition): readonly Edit[] {
  const [left, right] = parts;
  if (operator !== undefined && left !== undefined && right !== undefined) {
    const [onLeft, onRight] = [pathIn(left.source), pathIn(right.source)];
    return [
      ...(onLeft === undefined ? [] : valuesFor(operator, right.value).map((to) => ({ path: onLeft, to }))),
      ...(onRight === undefined
        ? []
        : valuesFor(mirrored[operator] ?? operator, left.value).map((to) => ({ path: onRight, to }))),
    ];
  }
  const exists = pathIn(/^\$exists\((.*)\)$/s.exec(source)?.[1] ?? '');
  if (exists !== undefined) return ['example', 1, true].map((to) => ({ path: exists, to }));
  const not = pathIn(/^\$not\((.*)\)$/s.exec(source)?.[1] ?? '');
  if (not !== undefined) return [{ path: not, to: false }];
  const path = pathIn(source);
  return path === undefined ? [] : [{ path, to: true }];
}

const mirrored: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** Values that fulfil a comparison with a value on the other side. */
function valuesFor(operator: string, value: JsonValue | undefined): readonly JsonValue[] {
  if (value === undefined) return [];
  switch (operator) {
    case '=':
      return [value];
    case 'in':
      return Array.isArray(value) ? value : [value];
    case '!=':
      if (typeof value === 'boolean') return [!value];
      return typeof value === 'number' ? [value + 1] : [value === 'other' ? 'another' : 'other'];
    case '<=':
    case '>=':
      return typeof value === 'number' || typeof value === 'string' ? [value] : [];
    case '<':
      return typeof value === 'number' ? [value - 1] : [];
    case '>':
      return typeof value === 'number' ? [value + 1] : [];
    default:
      return [];
  }
}

/** The names of a path from the body; undefined if an expression is none. */
function pathIn(source: string): readonly string[] | undefined {
  const names = source.trim().match(/^(?:[a-zA-Z_]\w*|`[^`]+`)(?:\.(?:[a-zA-Z_]\w*|`[^`]+`))*$/);
  if (names === null || ['true', 'false', 'null'].includes(source.trim())) return undefined;
  return (source.trim().match(/[a-zA-Z_]\w*|`[^`]+`/g) ?? []).map((name) => name.replace(/^`|`$/g, ''));
}

function withEdit(body: JsonObject, { path, to }: Edit): JsonObject | undefined {
  const [name, ...rest] = path;
  if (name === undefined || name === '__proto__') return undefined;
  if (rest.length === 0) return { ...body, [name]: to };
  const member = Object.hasOwn(body, name) ? body[name] : undefined;
  const isObject = typeof member === 'object' && member !== null && !Array.isArray(member);
  if (member !== undefined && member !== null && !isObject) return undefined;
  const edited = withEdit(isObject ? (member as JsonObject) : {}, { path: rest, to });
  return edited && { ...body, [name]: edited };
}

function pointerOf(path: readonly string[]): string {
  return path.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function bodyOf({ request }: Explanation): JsonObject | undefined {
  try {
    const body: unknown = JSON.parse(request.bodyText ?? '{}');
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}
