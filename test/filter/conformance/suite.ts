import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { compileFilter, EvaluationError, ExpressionError } from '../../../src/filter/index.ts';
import { unlessTurnedAway } from '../../support/isolated-workers.ts';

/** A recorded case of JSONata's own test suite. */
interface SuiteCase {
  readonly expr?: string;
  readonly 'expr-file'?: string;
  readonly data?: unknown;
  readonly dataset?: string | null;
  readonly bindings?: Readonly<Record<string, unknown>>;
  readonly result?: unknown;
  readonly undefinedResult?: true;
  readonly code?: string;
  readonly error?: { readonly code: string };
  readonly token?: string;
  readonly unordered?: boolean;
  readonly timelimit?: number;
  readonly depth?: number;
}

/** A case by its name, ready to run. */
export interface Case {
  /** `group/file#index`. */
  readonly name: string;
  readonly expression: string;
  readonly input: unknown;
  readonly recorded: SuiteCase;
}

export interface CaseResult {
  readonly mode: 'compiled' | 'isolated' | 'refused';
  /** What came out that is not as recorded; undefined if it agrees. */
  readonly difference: string | undefined;
}

/** Reads all cases of a suite's folder. */
export async function readSuite(folder: string): Promise<Case[]> {
  const cases: Case[] = [];
  const groups = join(folder, 'groups');
  for (const group of (await readdir(groups)).sort()) {
    for (const file of (await readdir(join(groups, group))).sort()) {
      if (!file.endsWith('.json')) continue;
      const recorded = await readJson<SuiteCase | SuiteCase[]>(join(groups, group, file));
      for (const [index, one] of [recorded].flat().entries()) {
        const expressionFile = join(groups, group, one['expr-file'] ?? '');
        cases.push({
          name: `${group}/${file}#${index}`,
          expression: one.expr ?? (await readFile(expressionFile, 'utf8')),
          input: one.dataset ? await readJson(join(folder, 'datasets', `${one.dataset}.json`)) : one.data,
          recorded: one,
        });
      }
    }
  }
  return cases;
}

async function readJson<Value>(file: string): Promise<Value> {
  return JSON.parse(await readFile(file, 'utf8'));
}

/** Runs a case where it compiles, and in isolation where not. */
export async function runCase({ expression, input, recorded }: Case): Promise<CaseResult> {
  const { timelimit, depth, bindings } = recorded;
  // The suite has sequences of ten million items, and expects an error of what is bounded only where it says so.
  const limits = { timeoutMs: timelimit ?? 10_000, maxDepth: depth ?? 1000, maxSteps: 1e9, maxSequence: 2e7 };
  const expectedCode = recorded.code ?? recorded.error?.code;
  try {
    const filter = compileFilter(expression, { limits });
    try {
      const value = asJson(await unlessTurnedAway(() => filter.evaluate(input, bindings)));
      return { mode: filter.mode, difference: expectedCode ? told(value) : differenceOf(value, recorded) };
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error;
      const { code, token } = error;
      const agrees = code === expectedCode && (recorded.token === undefined || recorded.token === token);
      return { mode: filter.mode, difference: agrees ? undefined : `${code} at ${token}` };
    } finally {
      await filter.close();
    }
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return { mode: 'refused', difference: expectedCode?.startsWith('S0') ? undefined : error.message };
  }
}

function differenceOf(value: unknown, recorded: SuiteCase): string | undefined {
  if (recorded.undefinedResult) return value === undefined ? undefined : told(value);
  // A few cases record nothing but that they end.
  if (!('result' in recorded)) return undefined;
  const agrees = recorded.unordered
    ? isDeepStrictEqual(sorted(value), sorted(recorded.result))
    : isDeepStrictEqual(value, recorded.result);
  return agrees ? undefined : told(value);
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? value.map((item) => JSON.stringify(item)).sort() : value;
}

function told(value: unknown): string {
  return `gives ${JSON.stringify(value)?.slice(0, 200)}`;
}

/** A value as the suite records it: without marks, and functions as nothing but a text. */
function asJson(value: unknown): unknown {
  const text = JSON.stringify(value, (_name, member: unknown) => (isFunction(member) ? '' : member));
  return text === undefined ? undefined : JSON.parse(text);
}

function isFunction(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'invoke' in value;
}
