import { hash } from 'node:crypto';
import {
  type DedupPlugin,
  type Exchange,
  type Fingerprint,
  FingerprintError,
  OptionsError,
  WorkExhausted,
} from '../../../src/contract/index.ts';
import {
  compileFilter,
  describeErrorCode,
  EvaluationError,
  ExpressionError,
  NoWorkerError,
  toPlain,
} from '../../../src/filter/index.ts';
import { readsOf } from '../../expression-reads.ts';
import { bindingsFor, requestShapes, secretHeaderProblems } from '../../request-bindings.ts';
import { costOfSending } from '../../sending.ts';
import { scopedKey } from '../scope.ts';
import { keyText } from './key-text.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

const pointer = '/key';
/** JSONata's code of an evaluation that exceeds its limit of work, or of time. */
const exhausted = 'D1012';
export default {
  contract: 'v1',
  stage: 'dedup',
  name: 'expression',
  summary: 'Two requests are the same if a JSONata expression has the same value for them, e.g. the id of their event.',
  optionsSchema: schema,
  create(context, options) {
    const { window: windowMs, keepOnFailure, scope } = options;
    const expression = compile(options);
    context.onClose(() => expression.close());
    for (const warning of expression.warnings) context.report({ severity: 'warning', pointer, ...warning });
    const bindings = bindingsFor(expression.variables, options);

    const fingerprintOf = (value: unknown, exchange: Exchange): Fingerprint | undefined => {
      const text = keyText(toPlain(value, exchange.work), exchange.work, exchange.hasLostDigits);
      if (text === undefined) return undefined;
      const digest = `expression:${hash('sha256', text, 'hex')}`;
      return { key: scopedKey(digest, scope, exchange), windowMs, keepOnFailure };
    };
    // JSONata's messages repeat values of the body: only code and position are logged.
    const failed = (error: unknown, { requestId, work }: Exchange): undefined => {
      if (error instanceof NoWorkerError) throw new FingerprintError(`the key was not evaluated: ${error.message}`);
      if (!(error instanceof EvaluationError)) throw error;
      const { code, position, details } = error;
      if (details.isOutOfTime === true) throw new FingerprintError('evaluating the key takes too long');
      if (code === exhausted) throw new WorkExhausted(work.limit);
      context.log.warn(
        { requestId, code, position, reason: describeErrorCode(code) },
        'the key of a request could not be evaluated: it is no duplicate',
      );
    };
    return {
      reads: readsOf(expression, options.key, options),
      fingerprint(exchange) {
        try {
          const { input, work, receivedAt } = exchange;
          if (expression.mode === 'isolated') work.spend(costOfSending(exchange));
          const value = expression.evaluate(input, bindings(exchange), { now: receivedAt, seed: 0, budget: work });
          if (!(value instanceof Promise)) return fingerprintOf(value, exchange);
          return value
            .then((settled) => fingerprintOf(settled, exchange))
            .catch((error: unknown) => failed(error, exchange));
        } catch (error) {
          return failed(error, exchange);
        }
      },
    };
  },
} satisfies DedupPlugin<Options>;

function compile(options: Options) {
  const problems = secretHeaderProblems(options, 'expressions');
  if (problems.length > 0) throw new OptionsError(problems);
  try {
    const expression = compileFilter(options.key, { bindings: requestShapes(options), purpose: 'value' });
    // All requests would be the same.
    if (expression.constant === undefined) return expression;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new OptionsError(error.problems.map((problem) => ({ pointer, ...problem })));
  }
  const hint = 'Name what distinguishes two requests, e.g. $event.id or orderId.';
  throw new OptionsError([{ pointer, message: 'has the same value for every request', hint }]);
}
