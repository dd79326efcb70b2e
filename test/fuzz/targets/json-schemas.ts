import { compileSchema } from '../../../plugins/filter/json-schema/compile-schema.ts';
import { share } from '../../../plugins/filter/json-schema/in-place-or-isolated.ts';
import { resultOf } from '../../../plugins/filter/json-schema/outcome.ts';
import { workLeft } from '../../../plugins/filter/json-schema/work-left.ts';
import { OptionsError, WorkExhausted } from '../../../src/contract/index.ts';
import { promised, type Target } from '../engine/target.ts';
import { CountedBudget } from './counted-budget.ts';

const schemas = [
  '{"type":"object","required":["a"],"properties":{"a":{"type":"string","pattern":"^x+$","maxLength":5}}}',
  '{"$ref":"#/definitions/n","definitions":{"n":{"anyOf":[{"type":"null"},{"properties":{"a":{"$ref":"#/definitions/n"}}}]}}}',
  '{"uniqueItems":true,"items":{"enum":[1,"a",null]},"contains":{"const":1}}',
  '{"patternProperties":{"^a":{"format":"date-time"}},"additionalProperties":false,"dependencies":{"a":["b"]}}',
  '{"$schema":"https://json-schema.org/draft/2020-12/schema","prefixItems":[{"type":"integer"}],"unevaluatedItems":false,"if":{"minItems":1},"then":true}',
  ...['true', '{"oneOf":[{"multipleOf":0.01},{"not":{}}]}', '{"$id":"a","$ref":"a#/b"}', '{"format":"email"}'],
];
const bodies = ['{"a":"xx"}', '{"a":{"a":{"a":null}}}', '[1,1,"a"]', '{"a":"2027-06-30T12:00:00Z","b":1}', '[]'];

/** Schemas compile only up to this length: what the gateway takes of its own user costs a millisecond each. */
const mostBytes = 2000;

/** Two lines: a schema, and a body that is validated in place only if the work has a bound. */
export const jsonSchema: Target = {
  name: 'json-schema',
  weight: 20,
  shape: 'json',
  maxBytes: mostBytes,
  words: [
    '"$ref":"#"',
    '"anyOf":[',
    '"uniqueItems":true',
    '"pattern":"(a+)+$"',
    '"format":"uri"',
    '\n',
    '"$defs":{',
    '"$dynamicRef":"#a"',
  ],
  seeds: () => schemas.flatMap((schema) => bodies.map((body) => `${schema}\n${body}`)),
  open: () => ({
    run(input) {
      const [schema, body] = input.toString().split('\n').map(jsonOrUndefined);
      if ((typeof schema !== 'boolean' && !isObject(schema)) || body === undefined)
        return { kind: 'refused', code: 'no JSON' };
      const budget = new CountedBudget();
      try {
        const { worstCase, validate } = compileSchema(schema);
        const limit = budget.left * share;
        const left = workLeft(worstCase, body, limit);
        if (left < 0) return { kind: 'value', code: `isolated ${worstCase.kind}` };
        promised(left <= limit, 'validating takes work');
        budget.spend(limit - left);
        const forTexts = new CountedBudget(left);
        const result = resultOf(validate(body, forTexts));
        budget.spend(forTexts.work.done);
        promised(result.kind !== 'dropped' || (result.reason ?? '').length < 600, 'a reason is short');
        return { kind: 'value', code: result.kind, size: limit - left, work: budget.work };
      } catch (error) {
        if (WorkExhausted.is(error)) return { kind: 'refused', code: 'too much work', work: budget.work };
        if (error instanceof RangeError && /stack/.test(error.message)) return { kind: 'refused', code: 'too deep' };
        if (!OptionsError.is(error)) throw error;
        return {
          kind: 'refused',
          code: (error.problems[0]?.message ?? '').replaceAll(/["'/].*["'/]|\d+/g, 'N').slice(0, 40),
        };
      }
    },
  }),
};

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
