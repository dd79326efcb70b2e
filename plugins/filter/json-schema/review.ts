import type { AnySchema, ErrorObject, ValidateFunction } from 'ajv';
import type {
  ExplainedCondition,
  FilterCondition,
  JsonValue,
  ObservedCondition,
  WorkBudget,
} from '../../../src/contract/index.ts';
import { compilerFor } from './compile-schema.ts';
import { isObject } from './vocabulary.ts';

export interface SchemaReview {
  readonly conditions: readonly FilterCondition[];
  /** Throws a WorkExhausted if the budget does not pay for matching the body's texts. */
  observe(input: unknown, work: WorkBudget): readonly ObservedCondition[];
  /** Throws a WorkExhausted, as `observe`. */
  explain(input: unknown, work: WorkBudget): readonly ExplainedCondition[];
}

/** The review of a schema, which is compiled again for that purpose only. */
export function reviewOf(schema: AnySchema): SchemaReview {
  const { ajv, run } = compilerFor(schema, { allErrors: true, verbose: true });
  const whole = ajv.compile(schema);
  const { parts, observe } = partsOf(schema);
  return {
    conditions: parts.map(({ source, pointer }) => ({ source, pointer })),
    observe,
    explain: (input, work) => run(work, () => explain(whole, input)),
  };
}

/** The schema, or a part of it that a request may satisfy or not. */
interface Part extends FilterCondition {
  /** The path in the body of the value that it constrains. */
  readonly path: readonly string[];
  /** Undefined if it does not apply to the value. */
  readonly isMet: (value: unknown) => boolean | undefined;
}

interface Parts extends Pick<SchemaReview, 'observe'> {
  readonly parts: readonly Part[];
}

/** The whole schema, and at every depth of `properties` the required names and the members' schemas. */
function partsOf(schema: AnySchema): Parts {
  const { ajv, run } = compilerFor(schema);
  ajv.addSchema(schema, key);
  const compile = (pointer: string): Part['isMet'] => {
    let validate: ValidateFunction | undefined;
    return (value) => {
      validate ??= ajv.getSchema(`${key}#${pointer.split('/').map(encodeURIComponent).join('/')}`);
      return validate?.(value) === true;
    };
  };
  const below = (part: unknown, path: readonly string[], pointer: string): Part[] => {
    if (!isObject(part)) return [];
    const required = Array.isArray(part.required) ? part.required.map(String) : [];
    const properties = isObject(part.properties) ? Object.entries(part.properties) : [];
    return [
      ...required.map((name, index) => ({
        source: `required: ${[...path, name].join('.')}`,
        pointer: `/schema${pointer}/required/${index}`,
        path,
        isMet: (value: unknown) => (isObject(value) ? Object.hasOwn(value, name) : undefined),
      })),
      ...properties.flatMap(([name, member]) => {
        const at = `${pointer}/properties/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        const inner = [...path, name];
        const source = `${inner.join('.')}: ${shortened(JSON.stringify(member))}`;
        const own = { source, pointer: `/schema${at}`, path: inner, isMet: compile(at) };
        return [...(asserts(member) ? [own] : []), ...below(member, inner, at)];
      }),
    ];
  };
  const whole = { source: 'schema', pointer: '/schema', path: [], isMet: compile('') };
  const parts = [...(asserts(schema) ? [whole] : []), ...below(schema, [], '')];
  return { parts, observe: (input, work) => run(work, () => parts.map((part) => observe(part, input))) };
}

const key = 'urn:pullcord:reviewed';

/** Keywords that no value can fail. */
const annotations: ReadonlySet<string> = new Set([
  ...['title', 'description', 'default', 'examples', '$comment', 'deprecated', 'readOnly', 'writeOnly'],
]);

function asserts(schema: unknown): boolean {
  return isObject(schema) ? Object.keys(schema).some((keyword) => !annotations.has(keyword)) : schema === false;
}

export const unseen: ObservedCondition = Object.freeze({ seenTrue: false, seenFalse: false });

/** Members that are absent from the body, or whose parent is not an object, are not observed. */
function observe({ path, isMet }: Part, input: unknown): ObservedCondition {
  let value: unknown = input;
  for (const name of path) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return unseen;
    value = value[name];
  }
  try {
    const met = isMet(value);
    return { seenTrue: met === true, seenFalse: met === false };
  } catch (error) {
    if (error instanceof RangeError) return unseen;
    throw error;
  }
}

/** The maximum number of failures reported. */
const mostFailures = 20;

function explain(validate: ValidateFunction, input: unknown): readonly ExplainedCondition[] {
  try {
    const passes = validate(input);
    const failures = (validate.errors ?? []).slice(0, mostFailures).map(describe);
    return [{ source: 'schema', passes, value: passes }, ...failures];
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return [{ source: 'schema', passes: false, error: 'the schema recurses too deeply' }];
  }
}

function describe({ instancePath, keyword, params, data }: ErrorObject): ExplainedCondition {
  const missing: unknown = keyword === 'required' ? params.missingProperty : undefined;
  const source = `${instancePath || '(root)'} ${keyword}${missing === undefined ? '' : ` ${missing}`}`;
  return { source, passes: false, ...(missing === undefined && { value: data as JsonValue }) };
}

function shortened(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
