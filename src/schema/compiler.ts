import { Ajv, type ValidateFunction } from 'ajv';
import type { DataValidationCxt } from 'ajv/dist/types/index.js';
import duration from '../../schemas/source/duration.schema.json' with { type: 'json' };
import secret from '../../schemas/source/secret.schema.json' with { type: 'json' };
import size from '../../schemas/source/size.schema.json' with { type: 'json' };
import { schemaFormats } from './formats.ts';
import { parseDuration, parseSize } from './units.ts';

/** What a validation collects: values of the shared schemas, by their JSON pointers. */
export interface Findings {
  readonly secrets: Map<string, unknown>;
  /** Durations in milliseconds and sizes in bytes. */
  readonly amounts: Map<string, number>;
}

/**
 * Compiles a JSON Schema that may refer to the shared ones. Call the result with `Findings` as `this`. Throws if the
 * schema does not compile; an invalid schema may still compile, and `requireValid` detects it.
 */
export function compile(schema: object): ValidateFunction {
  try {
    return ajv.compile(schema);
  } finally {
    // The Ajv instance is shared and lives as long as the process; the compiled function needs nothing from it.
    ajv.removeSchema(schema);
  }
}

/** Lets schemas compiled from now on refer to this one, by its own `$id` or the one given. */
export function shareSchema(schema: object, id?: string): void {
  ajv.addSchema(schema, id);
}

/** Throws if a schema does not conform to the meta-schema of draft-07. */
export function requireValid(schema: object): void {
  ajv.validateSchema(schema, true);
}

const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  strict: true,
  strictTypes: false,
  strictTuples: false,
  strictRequired: false,
  allowUnionTypes: true,
  // Otherwise `required: ['toString']` accepts `{}` (prototype pollution).
  ownProperties: true,
  useDefaults: true,
  passContext: true,
  // Shared schemas stay functions of their own: Ajv ignores defaults inside `anyOf`, where inlining would put them.
  inlineRefs: false,
  formats: schemaFormats,
  // Each of these takes longer than the rest of compiling, which every command waits for.
  validateSchema: false,
  code: { optimize: false },
});
ajv.addVocabulary([
  'pullcordStage',
  'tsType',
  'deprecationMessage',
  'markdownDescription',
  'enumDescriptions',
  'markdownEnumDescriptions',
  'defaultSnippets',
]);
ajv.addKeyword({ keyword: 'pullcord', schemaType: 'string', errors: false, validate: note });
for (const keyword of ['minDuration', 'minSize']) addLimit(keyword, (amount, limit) => amount >= limit);
for (const keyword of ['maxDuration', 'maxSize']) addLimit(keyword, (amount, limit) => amount <= limit);
ajv.addKeyword({
  keyword: 'maxDecimals',
  type: 'number',
  schemaType: 'number',
  // `multipleOf` divides, and 0.3 is no multiple of 0.1 then.
  compile: (digits: number) => (value: number) => Number(value.toFixed(digits)) === value,
});
ajv.addSchema([secret, duration, size]);

function note(this: Findings, kind: string, value: unknown, _schema?: unknown, context?: DataValidationCxt): boolean {
  const pointer = context?.instancePath ?? '';
  if (kind === 'secret') {
    this.secrets.set(pointer, value);
    return true;
  }
  if (kind === 'env') return true;
  const amount = typeof value === 'string' ? (kind === 'size' ? parseSize(value) : parseDuration(value)) : undefined;
  if (amount !== undefined) this.amounts.set(pointer, amount);
  return true;
}

function addLimit(keyword: string, isWithin: (amount: number, limit: number) => boolean): void {
  const parse = keyword.endsWith('Size') ? parseSize : parseDuration;
  ajv.addKeyword({
    keyword,
    type: 'string',
    schemaType: 'string',
    compile: (written: string) => {
      const limit = parse(written);
      if (limit === undefined) throw new Error(`${keyword}: "${written}" has no unit`);
      return (value: string) => isWithin(parse(value) ?? limit, limit);
    },
  });
}
