import { eventStream, OptionsError, type RespondPlugin } from '../../../src/contract/index.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

export default {
  contract: 'v1',
  stage: 'respond',
  name: 'stream',
  summary: 'Answers with server-sent events: what the agent says as it says it, then its whole output.',
  optionsSchema: schema,
  create(_context, { timeout: timeoutMs }) {
    if (timeoutMs === 0) throw new OptionsError([{ pointer: '/timeout', message: 'must be longer than nothing' }]);
    return { respond: (_exchange, accepted) => eventStream(accepted, { timeoutMs }) };
  },
} satisfies RespondPlugin<Options>;
