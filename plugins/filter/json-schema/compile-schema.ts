import { Ajv, type Options as AjvOptions, type AnySchema, type ErrorObject } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { OptionsError, type WorkBudget } from '../../../src/contract/index.ts';
import { replaceQuadraticKeywords } from './linear-keywords.ts';
import { patternCompiler, UnusablePattern } from './linear-pattern.ts';
import { addMeteredFormats } from './metered-formats.ts';
import { type Draft, References } from './references.ts';
import { WorkMeter } from './work-meter.ts';
import { type WorstCase, worstCaseOf } from './worst-case.ts';

const pointer = '/schema';

const ajvOptions: AjvOptions = {
  strict: false,
  // Otherwise the inherited members of every object satisfy `required: ['toString']`.
  ownProperties: true,
  logger: false,
};

export interface CompiledSchema {
  readonly worstCase: WorstCase;
  /**
   * Returns the errors of a body, undefined if there are none. Throws a WorkExhausted, or a RangeError for a body that
   * nests too deeply.
   * @param work pays for matching its texts
   */
  validate(body: unknown, work: WorkBudget): readonly ErrorObject[] | undefined;
}

/** Compiles a schema; throws an OptionsError that points at the faulty part. */
export function compileSchema(schema: AnySchema): CompiledSchema {
  const { ajv, draft, run } = compilerFor(schema);
  refuseAsync(schema);
  const known = ajv.validateSchema(schema);
  if (known !== true) {
    throw new OptionsError(
      (ajv.errors ?? []).map(({ instancePath, message = 'is not valid' }) => ({
        pointer: pointer + instancePath,
        message: `is not valid JSON Schema: ${message}`,
      })),
    );
  }
  try {
    const check = ajv.compile(schema);
    const { uriResolver } = ajv.opts;
    const worstCase = worstCaseOf(schema, new References(schema, draft, (base, uri) => uriResolver.resolve(base, uri)));
    // A reference cycle compiles, but then validation never terminates on any input.
    if (worstCase.kind === 'unbounded' && worstCase.mayBeEndless) check({});
    return {
      worstCase,
      validate: (body, work) => run(work, () => (check(body) ? undefined : (check.errors ?? []))),
    };
  } catch (error) {
    throw new OptionsError([describeFault(schema, error)]);
  }
}

const drafts = [
  { draft: 'draft-07', uri: 'http://json-schema.org/draft-07/schema', Validator: Ajv },
  { draft: '2020-12', uri: 'https://json-schema.org/draft/2020-12/schema', Validator: Ajv2020 },
] as const;

export interface SchemaCompiler {
  readonly draft: Draft;
  readonly ajv: Ajv | Ajv2020;
  /** Calls compiled validators. Throws a WorkExhausted if the budget does not pay for matching the body's texts. */
  run<T>(work: WorkBudget, validate: () => T): T;
}

/** Creates the compiler for a schema and its parts, for the draft that it declares. */
export function compilerFor(schema: AnySchema, more: AjvOptions = {}): SchemaCompiler {
  const declared: unknown = typeof schema === 'object' ? schema.$schema : undefined;
  const uri = declared === undefined ? drafts[0].uri : String(declared).replace(/#$/, '');
  const found = drafts.find((candidate) => candidate.uri === uri);
  if (!found) {
    const hint = `Use one of: ${drafts.map((candidate) => candidate.uri).join(', ')}`;
    throw new OptionsError([{ pointer: `${pointer}/$schema`, message: 'names a draft that is not supported', hint }]);
  }
  const { draft, Validator } = found;
  const meter = new WorkMeter();
  const ajv = new Validator({ ...ajvOptions, code: { regExp: patternCompiler(meter) }, ...more });
  addMeteredFormats(ajv, meter);
  const clear = replaceQuadraticKeywords(ajv);
  const run = <T>(work: WorkBudget, validate: () => T): T => {
    meter.charge(work);
    try {
      return validate();
    } finally {
      clear();
    }
  };
  return { draft, ajv, run };
}

/** `$async` is specific to ajv: such a schema returns a promise, which would count as passed. */
function refuseAsync(schema: AnySchema): void {
  if (typeof schema !== 'object' || schema.$async === undefined) return;
  throw new OptionsError([{ pointer: `${pointer}/$async`, message: '$async is not supported' }]);
}

function describeFault(schema: AnySchema, error: unknown): { pointer: string; message: string; hint?: string } {
  if (error instanceof UnusablePattern) {
    return {
      pointer: pointer + (findPattern(schema, error.pattern, '') ?? ''),
      message: error.message,
      hint: 'RE2 has no look-around and no back references, and limits repetition counts to 1000.',
    };
  }
  if (error instanceof Ajv.MissingRefError) {
    const found = findMember(schema, '$ref', error.missingRef, '');
    return { pointer: pointer + (found ?? ''), message: 'the reference points outside of the schema or at nothing' };
  }
  if (error instanceof RangeError) return { pointer, message: 'the schema refers to itself endlessly' };
  return { pointer, message: error instanceof Error ? error.message : 'the schema cannot be compiled' };
}

/** The pointer of the `pattern`, or of the name under `patternProperties`, that holds the pattern. */
function findPattern(schema: unknown, pattern: string, at: string): string | undefined {
  return findMember(schema, 'pattern', pattern, at) ?? findName(schema, pattern, at);
}

function findMember(value: unknown, name: string, wanted: string, at: string): string | undefined {
  return find(value, at, (key, member) => key === name && member === wanted);
}

function findName(value: unknown, wanted: string, at: string): string | undefined {
  return find(value, at, (key) => key === wanted);
}

function find(value: unknown, at: string, matches: (key: string, member: unknown) => boolean): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    const place = `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (matches(key, member)) return place;
    const below = find(member, place, matches);
    if (below !== undefined) return below;
  }
  return undefined;
}
