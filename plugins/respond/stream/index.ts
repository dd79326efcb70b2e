import { OptionsError, type RespondPlugin } from '../../../src/contract/index.ts';
import { AnswerBodies } from '../answer-body.ts';
import { createRefused, type RefusedOptions, withRefused } from '../refused.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

export default {
  contract: 'v1',
  stage: 'respond',
  name: 'stream',
  summary: 'Answers with server-sent events: the output piece by piece as the agent writes it, then as a whole.',
  optionsSchema: withRefused(schema),
  create(context, options) {
    const { timeout: timeoutMs } = options;
    if (timeoutMs === 0) throw new OptionsError([{ pointer: '/timeout', message: 'must be greater than 0' }]);
    const bodies = new AnswerBodies(context, options);
    const refused = createRefused(options, bodies, (_exchange, run) => ({ events: { run, timeoutMs } }));
    bodies.check();
    return {
      reads: { headers: options.headers ?? [] },
      respond: (exchange, outcome) =>
        outcome.kind === 'accepted' ? { events: { run: outcome, timeoutMs } } : refused(exchange, outcome),
    };
  },
} satisfies RespondPlugin<Options & RefusedOptions>;
