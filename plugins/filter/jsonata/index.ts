import { type FilterPlugin, type FilterResult, OptionsError } from '../../../src/contract/index.ts';
import { EvaluatorPool } from './evaluator-pool.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { hasReservedMember } from './reserved-members.ts';
import { isTruthy } from './truth.ts';

export default {
  contract: 'v1',
  stage: 'filter',
  name: 'jsonata',
  summary: 'Passes a request if a JSONata expression over its body is true.',
  optionsSchema: schema,
  async create(_context, options) {
    // JSONata takes 0 for no timeout at all.
    if (options.timeout <= 0) throw new OptionsError([{ pointer: '/timeout', message: 'must be more than 0' }]);
    const pool = await EvaluatorPool.create(options);
    return {
      evaluate({ bodyText, input }) {
        return hasReservedMember(bodyText, input) ? reserved : evaluate(pool, input);
      },
    };
  },
} satisfies FilterPlugin<Options>;

const passed: FilterResult = Object.freeze({ kind: 'passed' });
const dropped: FilterResult = Object.freeze({ kind: 'dropped', reason: 'the expression is not true' });
const reserved: FilterResult = Object.freeze({
  kind: 'error',
  reason: 'the body has a member whose name is reserved by JSONata',
});

async function evaluate(pool: EvaluatorPool, input: unknown): Promise<FilterResult> {
  const evaluator = pool.take();
  try {
    return isTruthy(await evaluator.evaluate(input)) ? passed : dropped;
  } catch (error) {
    return { kind: 'error', reason: describe(error) };
  } finally {
    pool.giveBack(evaluator);
  }
}

/** JSONata's messages repeat values of the body, and so may its codes' other fields: only code and place are told. */
function describe(error: unknown): string {
  const fields = typeof error === 'object' && error !== null ? error : {};
  const code =
    'code' in fields && typeof fields.code === 'string' && /^[A-Z]\d{4}$/.test(fields.code) ? fields.code : '';
  const at = 'position' in fields && Number.isInteger(fields.position) ? ` at position ${fields.position}` : '';
  if (code) return `JSONata error ${code}${at}`;
  return error instanceof RangeError ? 'the evaluation needed too much memory or nesting' : `JSONata failed${at}`;
}
