import { hash } from 'node:crypto';
import {
  callerBinding,
  type DedupPlugin,
  type Exchange,
  eventBinding,
  type Fingerprint,
  FingerprintError,
  OptionsError,
  type OptionsProblem,
  requestBinding,
  secretHeaders,
  WorkExhausted,
} from '../../../src/contract/index.ts';
import {
  type Bindings,
  compileFilter,
  EvaluationError,
  ExpressionError,
  NoWorkerError,
  toPlain,
} from '../../../src/filter/index.ts';
import { keyText } from './key-text.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

const pointer = '/key';
/** JSONata's code of an evaluation that exceeds its limit of work, or of time. */
const exhausted = 'D1012';
/** Units to write a character of the body for another process. */
const costOfSending = 1 / 8;

/** The variables that an expression may read in addition to the body, by name without `$`. */
const sources = {
  event: ({ event }: Exchange) => eventBinding(event),
  request: (exchange: Exchange, { headers }: Options) => requestBinding(exchange, headers),
  caller: ({ caller }: Exchange, { claims }: Options) => callerBinding(caller, claims),
  project: ({ project }: Exchange) => project,
  trigger: ({ trigger }: Exchange) => trigger,
} as const;

export default {
  contract: 'v1',
  stage: 'dedup',
  name: 'expression',
  summary: 'Two requests are the same if a JSONata expression has the same value for them, e.g. the id of their event.',
  optionsSchema: schema,
  create(context, options) {
    const { window: windowMs, keepOnFailure, scope, headers } = options;
    const expression = compile(options);
    context.onClose(() => expression.close());
    for (const warning of expression.warnings) context.report({ severity: 'warning', pointer, ...warning });
    const bindings = bindingsFor(expression.variables, options);

    const fingerprintOf = (value: unknown, { caller, work }: Exchange): Fingerprint | undefined => {
      const text = keyText(toPlain(value, work), work);
      if (text === undefined) return undefined;
      const digest = `expression:${hash('sha256', text, 'hex')}`;
      // A digest has no space: fingerprints of two scopes, or of two callers, never collide.
      return { key: scope === 'caller' ? `${digest} ${caller.id}` : digest, windowMs, keepOnFailure };
    };
    // JSONata's messages repeat values of the body: only code and position are logged.
    const failed = (error: unknown, { requestId, work }: Exchange): undefined => {
      if (error instanceof NoWorkerError) throw new FingerprintError(`the key was not evaluated: ${error.message}`);
      if (!(error instanceof EvaluationError)) throw error;
      const { code, position, details } = error;
      if (details.isOutOfTime === true) throw new FingerprintError('evaluating the key takes too long');
      if (code === exhausted) throw new WorkExhausted(work.limit);
      context.log.warn(
        { requestId, code, position },
        'the key of a request could not be evaluated: it is no duplicate',
      );
    };
    return {
      reads: { headers: expression.variables.has('request') ? headers : [] },
      fingerprint(exchange) {
        try {
          const { input, bodyText = '', work, receivedAt } = exchange;
          if (expression.mode === 'isolated') work.spend(bodyText.length * costOfSending);
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

/** Only those that the expression reads. */
function bindingsFor(variables: ReadonlySet<string>, options: Options): (exchange: Exchange) => Bindings {
  const read = Object.entries(sources).filter(([name]) => variables.has(name));
  return (exchange) => Object.fromEntries(read.map(([name, bind]) => [name, bind(exchange, options)]));
}

function compile({ key, headers }: Options) {
  const problems = headers.flatMap((name, index): OptionsProblem[] =>
    secretHeaders.has(name)
      ? [{ pointer: `/headers/${index}`, message: `${name} is not available to expressions: it carries a secret` }]
      : [],
  );
  if (problems.length > 0) throw new OptionsError(problems);
  try {
    const expression = compileFilter(key, { bindings: Object.keys(sources), purpose: 'value' });
    // All requests would be the same.
    if (expression.constant === undefined) return expression;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    throw new OptionsError(error.problems.map((problem) => ({ pointer, ...problem })));
  }
  const hint = 'Name what distinguishes two requests, e.g. $event.id or orderId.';
  throw new OptionsError([{ pointer, message: 'has the same value for every request', hint }]);
}
