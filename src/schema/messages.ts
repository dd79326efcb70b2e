import type { ErrorObject } from 'ajv';
import { pointerSegments } from '../contract/index.ts';
import { closest } from '../diagnostics/closest.ts';
import { joinPointer } from '../diagnostics/json-pointer.ts';
import { formatFaults, formatNames } from './formats.ts';
import type { SchemaProblem } from './problem.ts';

/** Puts an error of Ajv in plain words; undefined if another error already says it. Never shows a value. */
export function describeError(error: ErrorObject): SchemaProblem | undefined {
  if (error.keyword === 'propertyNames' || error.keyword === 'if') return undefined;
  if (isSecretFault(error)) return describeSecret(error);
  const name = error.propertyName;
  if (name !== undefined) return describeName(error, name);
  const describe = describers[error.keyword];
  const words = describe?.(error) ?? { code: 'not_allowed_value', message: `${subject(error)} ${error.message}` };
  return { pointer: error.instancePath, ...words };
}

type Description = Omit<SchemaProblem, 'pointer'> & { readonly pointer?: string };
type Describer = (error: ErrorObject) => Description;

const describers: Readonly<Record<string, Describer>> = {
  additionalProperties: unknownField,
  required: missingField,
  dependencies: missingField,
  type: wrongType,
  enum: ({ params, ...error }) => notAllowed({ params, ...error }, params.allowedValues),
  const: ({ params, ...error }) => notAllowed({ params, ...error }, [params.allowedValue]),
  pattern: (error) => badForm(error, 'has the wrong format'),
  format: (error) => badForm(error, formatFault(error)),
  minimum: (error) => outOfRange(error, `must be at least ${error.params.limit}`),
  maximum: (error) => outOfRange(error, `must be at most ${error.params.limit}`),
  exclusiveMinimum: (error) => outOfRange(error, `must be more than ${error.params.limit}`),
  exclusiveMaximum: (error) => outOfRange(error, `must be less than ${error.params.limit}`),
  multipleOf: (error) => outOfRange(error, `must be a multiple of ${error.params.multipleOf}`),
  maxDecimals: (error) => outOfRange(error, `must have at most ${error.schema} decimals`),
  minLength: (error) =>
    outOfRange(
      error,
      error.params.limit === 1 ? 'must not be empty' : `must have ${count(error, 'at least', 'character')}`,
    ),
  maxLength: (error) => outOfRange(error, `must have ${count(error, 'at most', 'character')}`),
  minItems: (error) => outOfRange(error, `must have ${count(error, 'at least', 'item')}`),
  maxItems: (error) => outOfRange(error, `must have ${count(error, 'at most', 'item')}`),
  minProperties: (error) => outOfRange(error, `must have ${count(error, 'at least', 'field')}`),
  maxProperties: (error) => outOfRange(error, `must have ${count(error, 'at most', 'field')}`),
  minDuration: (error) => outOfRange(error, `must be at least ${error.schema}`),
  maxDuration: (error) => outOfRange(error, `must be at most ${error.schema}`),
  minSize: (error) => outOfRange(error, `must be at least ${error.schema}`),
  maxSize: (error) => outOfRange(error, `must be at most ${error.schema}`),
  uniqueItems: (error) => ({
    code: 'duplicate_item',
    pointer: joinPointer(error.instancePath, Math.max(error.params.i, error.params.j)),
    message: `${subject(error)} has this item twice`,
  }),
  anyOf: noForm,
  oneOf: noForm,
};

function unknownField(error: ErrorObject): Description {
  const name: string = error.params.additionalProperty;
  const known = Object.keys(error.parentSchema?.properties ?? {});
  const meant = name.length <= 64 ? closest(name, known) : undefined;
  const listed = known.length > 0 && known.length <= 24 ? `Fields here are ${known.join(', ')}.` : undefined;
  const hint = meant === undefined ? listed : `Did you mean ${quote(meant)}?`;
  return {
    code: 'unknown_field',
    pointer: joinPointer(error.instancePath, name),
    atName: true,
    message: `unknown field ${quote(name)}`,
    ...(hint !== undefined && { hint }),
  };
}

function missingField(error: ErrorObject): Description {
  const name: string = error.params.missingProperty;
  const because = error.params.property === undefined ? '' : `, which ${quote(error.params.property)} needs`;
  const example = exampleOf(error.parentSchema?.properties?.[name]);
  return {
    code: 'missing_field',
    pointer: joinPointer(error.instancePath, name),
    message: `${quote(name)} is missing${because}`,
    ...(example !== undefined && { hint: `For example ${name}: ${example}` }),
  };
}

function wrongType(error: ErrorObject): Description {
  const expected: string[] = [error.params.type].flat();
  const actual = typeName(error.data);
  const isScalar = ['number', 'boolean'].includes(typeof error.data);
  const example = exampleOf(error.parentSchema);
  const hint =
    isScalar && error.parentSchema?.pullcord !== undefined
      ? `Write a number and a unit, for example ${example}.`
      : isScalar && formatFaults.has(error.parentSchema?.format)
        ? `For example ${example}`
        : isScalar && expected.includes('string')
          ? 'Put it in quotes.'
          : example !== undefined && !expected.includes('object')
            ? `For example ${example}`
            : undefined;
  return {
    code: 'wrong_type',
    message: `${subject(error)} must be ${alternatives(expected.map((type) => typeNames[type] ?? type))}, ${actual}`,
    ...(hint !== undefined && { hint }),
  };
}

function notAllowed(error: ErrorObject, allowed: readonly unknown[]): Description {
  const words = allowed.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)));
  const meant = typeof error.data === 'string' && error.data.length <= 64 ? closest(error.data, words) : undefined;
  return {
    code: 'not_allowed_value',
    message: `${subject(error)} must be ${alternatives(words.slice(0, 20))}`,
    ...(meant !== undefined && { hint: `Did you mean ${quote(meant)}?` }),
  };
}

function formatFault({ params: { format }, data }: ErrorObject): string {
  const fault = typeof data === 'string' ? formatFaults.get(format)?.(data) : undefined;
  return fault ?? `must be ${formatNames.get(format) ?? `in the format ${format}`}`;
}

function badForm(error: ErrorObject, words: string): Description {
  const example = exampleOf(error.parentSchema);
  const fallback = error.keyword === 'pattern' ? `It must match ${error.params.pattern}` : undefined;
  const hint = example === undefined ? fallback : `For example ${example}`;
  return { code: 'bad_format', message: `${subject(error)} ${words}`, ...(hint !== undefined && { hint }) };
}

function outOfRange(error: ErrorObject, words: string): Description {
  return { code: 'out_of_range', message: `${subject(error)} ${words}` };
}

function noForm(error: ErrorObject): Description {
  const example = exampleOf(error.parentSchema);
  return {
    code: 'not_allowed_value',
    message: `${subject(error)} matches none of the allowed forms`,
    ...(example !== undefined && { hint: `For example ${example}` }),
  };
}

function describeName(error: ErrorObject, name: string): SchemaProblem {
  return {
    code: 'bad_format',
    pointer: joinPointer(error.instancePath, name),
    atName: true,
    message: `${quote(name)} is not a name that is allowed here`,
  };
}

function isSecretFault(error: ErrorObject): boolean {
  const isReference = error.parentSchema?.pullcord === 'secret' && error.keyword !== 'additionalProperties';
  const isVariableName = error.parentSchema?.pullcord === 'env';
  return isReference || isVariableName;
}

/** A secret written in place of its reference must not be repeated, so these have messages, and a mask, of their own. */
function describeSecret(error: ErrorObject): SchemaProblem {
  const hint = 'Write { env: NAME } or { file: PATH }, and keep the secret itself out of this file.';
  const isText = typeof error.data === 'string' || typeof error.data === 'number';
  if (!isText) {
    const message = `${subject(error)} must be a reference to a secret: either env or file`;
    return { code: 'bad_secret', pointer: error.instancePath, message, hint };
  }
  const words = error.keyword === 'type' ? 'is written out here' : 'is not the name of an environment variable';
  return { code: 'literal_secret', pointer: error.instancePath, message: `${subject(error)} ${words}`, hint };
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  null: 'empty',
};

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'but is empty';
  if (Array.isArray(value)) return 'not a list';
  if (typeof value === 'boolean') return `not ${value}`;
  return `not ${typeNames[typeof value] ?? typeof value}`;
}

function count(error: ErrorObject, bound: string, noun: string): string {
  const limit: number = error.params.limit;
  return `${bound} ${limit} ${noun}${limit === 1 ? '' : 's'}`;
}

function alternatives(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? 'nothing') : `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

function exampleOf(schema: Readonly<Record<string, unknown>> | undefined): string | undefined {
  const [example] = Array.isArray(schema?.examples) ? schema.examples : [];
  return example === undefined ? undefined : typeof example === 'string' ? example : JSON.stringify(example);
}

function subject(error: ErrorObject): string {
  const segments = pointerSegments(error.instancePath);
  const last = segments.at(-1);
  if (last === undefined) return 'this';
  const parent = segments.at(-2);
  return /^\d+$/.test(last) && parent !== undefined ? `item ${Number(last) + 1} of ${quote(parent)}` : quote(last);
}

function quote(name: string): string {
  return JSON.stringify(name.length > 64 ? `${name.slice(0, 63)}…` : name);
}
