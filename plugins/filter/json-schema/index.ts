import { type FilterPlugin, type FilterResult, type FilterReview, OptionsError } from '../../../src/contract/index.ts';
import { boundedReviewOf } from './bounded-review.ts';
import { compileSchema } from './compile-schema.ts';
import { IsolatedSchema, IsolationError } from './isolated-schema.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { resultOf, tooDeep } from './outcome.ts';
import { workLeft } from './work-left.ts';
import { maxWork, WorkExceeded } from './work-meter.ts';
import type { WorstCase } from './worst-case.ts';

export default {
  contract: 'v1',
  stage: 'filter',
  name: 'json-schema',
  summary: 'Passes a request if its body satisfies a JSON Schema.',
  optionsSchema: schema,
  create(context, options) {
    if (options.timeout <= 0) throw new OptionsError([{ pointer: '/timeout', message: 'must be greater than 0' }]);
    const { worstCase, validate } = compileSchema(options.schema);
    const isolated = new IsolatedSchema(options.schema, options.timeout);
    context.onClose(() => isolated.close());
    if (worstCase.kind === 'unbounded') isolated.start();
    context.report({ severity: 'note', pointer: '/schema', message: modeOf(worstCase) });

    let review: FilterReview | undefined;
    return {
      evaluate({ input }) {
        try {
          const left = workLeft(worstCase, input);
          if (left >= 0) return resultOf(validate(input, left));
        } catch (error) {
          if (error instanceof RangeError) return tooDeep;
          if (!(error instanceof WorkExceeded)) throw error;
        }
        return isolated.evaluate('result', input).then((result) => result as FilterResult, failed);
      },
      review() {
        review ??= boundedReviewOf(options.schema, worstCase, isolated);
        return review;
      },
    };
  },
} satisfies FilterPlugin<Options>;

function failed(error: unknown): FilterResult {
  if (!(error instanceof IsolationError)) throw error;
  return { kind: 'error', reason: error.message };
}

function modeOf(worstCase: WorstCase): string {
  if (worstCase.kind === 'unbounded') return `isolated, in a process of its own: ${worstCase.reason}`;
  const values = Math.floor(maxWork / worstCase.perValue).toLocaleString('en');
  return `validated in place if a body has at most ${values} values, otherwise isolated, in a process of its own`;
}
