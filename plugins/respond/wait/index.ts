import {
  type AcceptedRun,
  problem,
  type Reply,
  type RespondPlugin,
  type RunView,
} from '../../../src/contract/index.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

/** When to look again after a wait in vain, in seconds. */
const retryAfterSeconds = '5';

export default {
  contract: 'v1',
  stage: 'respond',
  name: 'wait',
  summary: 'Waits for the run and answers with its output; after the timeout 408 with an address to poll.',
  optionsSchema: schema,
  create(_context, { timeout: timeoutMs }) {
    return {
      respond(_exchange, accepted) {
        const view = accepted.wait(timeoutMs);
        return view instanceof Promise ? view.then((settled) => reply(accepted, settled)) : reply(accepted, view);
      },
    };
  },
} satisfies RespondPlugin<Options>;

function reply({ runId, statusUrl }: AcceptedRun, view: RunView): Reply {
  switch (view.state) {
    case 'succeeded':
    case 'input_required':
      return { status: 200, body: { runId, status: view.state, output: view.output ?? null } };
    case 'failed':
      return problem('run_failed', { runId, statusUrl, ...(view.failure && { detail: view.failure.message }) });
    case 'cancelled':
      return problem('run_cancelled', { runId, statusUrl });
    case 'queued':
    case 'running':
      return problem('wait_timeout', { runId, statusUrl }, { location: statusUrl, 'retry-after': retryAfterSeconds });
  }
}
