import type { ErrorObject } from 'ajv';
import type { FilterPlugin, FilterResult, FilterReview } from '../../../src/contract/index.ts';
import { compileSchema } from './compile-schema.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { reviewOf } from './review.ts';

export default {
  contract: 'v1',
  stage: 'filter',
  name: 'json-schema',
  summary: 'Passes a request if its body satisfies a JSON Schema.',
  optionsSchema: schema,
  create(_context, options) {
    const validate = compileSchema(options.schema);
    let review: FilterReview | undefined;
    return {
      evaluate({ input }): FilterResult {
        try {
          return validate(input) ? passed : { kind: 'dropped', reason: describe(validate.errors?.[0]) };
        } catch (error) {
          if (error instanceof RangeError) return tooDeep;
          throw error;
        }
      },
      review() {
        review ??= reviewOf(options.schema);
        return review;
      },
    };
  },
} satisfies FilterPlugin<Options>;

const passed: FilterResult = Object.freeze({ kind: 'passed' });
const tooDeep: FilterResult = Object.freeze({ kind: 'error', reason: 'the schema recurses too deeply' });

const maxPointerLength = 200;

/** The location and keyword, never a value. A missing member's name comes from the schema, not from the body. */
function describe(error: ErrorObject | undefined): string {
  if (!error) return 'does not satisfy the schema';
  const { instancePath, keyword, params } = error;
  const place = instancePath === '' ? '(root)' : instancePath.slice(0, maxPointerLength);
  const missing: unknown = keyword === 'required' ? params.missingProperty : undefined;
  return missing === undefined ? `${place} ${keyword}` : `${place} ${keyword} ${missing}`;
}
