import {
  type Exchange,
  type FilterPlugin,
  type FilterResult,
  type FilterReview,
  OptionsError,
  WorkBudget,
} from '../../../src/contract/index.ts';
import { costOfSending } from '../../sending.ts';
import { boundedReviewOf } from './bounded-review.ts';
import { compileSchema } from './compile-schema.ts';
import { inPlaceOrIsolated, type Payment, type SchemaQuestion, share } from './in-place-or-isolated.ts';
import { IsolatedSchema } from './isolated-schema.ts';
import { judgeOf, patientSchema } from './judge.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { resultOf } from './outcome.ts';
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
    const bounded = { worstCase, isolated };
    context.onClose(() => isolated.close());
    if (worstCase.kind === 'unbounded') isolated.start();
    context.report({ severity: 'note', pointer: '/schema', message: modeOf(worstCase) });

    const result: SchemaQuestion<FilterResult> = {
      wants: 'result',
      inPlace: (body, work) => resultOf(validate(body, work)),
      failed: (reason) => ({ kind: 'error', reason }),
    };
    let review: FilterReview | undefined;
    return {
      evaluate: (exchange) => inPlaceOrIsolated(result, exchange.input, bounded, paymentOf(exchange)),
      review() {
        if (review !== undefined) return review;
        const isolated = patientSchema(options);
        context.onClose(() => isolated.close());
        review = boundedReviewOf(options.schema, bounded, judgeOf(result, { worstCase, isolated }, paymentOf));
        return review;
      },
    };
  },
} satisfies FilterPlugin<Options>;

function paymentOf(exchange: Exchange): Payment {
  return { work: exchange.work, toSend: costOfSending(exchange) };
}

function modeOf(worstCase: WorstCase): string {
  if (worstCase.kind === 'unbounded') return `isolated, in a process of its own: ${worstCase.reason}`;
  const values = Math.floor((WorkBudget.defaultLimit * share) / worstCase.perValue).toLocaleString('en');
  return `validated in place if a body has at most ${values} values, otherwise isolated, in a process of its own`;
}
