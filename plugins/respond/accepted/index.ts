import type { AcceptedRun, BodyReply, MaybePromise, RespondPlugin, RunState } from '../../../src/contract/index.ts';
import { createRefused, type RefusedOptions, withRefused } from '../refused.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

/** When a first look at the run is worth it, in seconds. */
const retryAfterSeconds = '5';

export default {
  contract: 'v1',
  stage: 'respond',
  name: 'accepted',
  summary: 'Answers 202 at once with an address to poll; the run continues in the background.',
  optionsSchema: withRefused(schema),
  create(_context, options) {
    const refused = createRefused(options, (_exchange, run) => answer(run));
    return {
      respond: (exchange, outcome) => (outcome.kind === 'accepted' ? answer(outcome) : refused(exchange, outcome)),
    };
  },
} satisfies RespondPlugin<Options & RefusedOptions>;

function answer(run: AcceptedRun): MaybePromise<BodyReply> {
  const view = run.wait(0);
  if (!(view instanceof Promise)) return reply(run, view.state);
  return view.then(
    ({ state }) => reply(run, state),
    // The run is stored. That its state cannot be read now must not make the caller send it again.
    () => reply(run, 'queued'),
  );
}

function reply({ runId, statusUrl }: AcceptedRun, status: RunState): BodyReply {
  return {
    status: 202,
    headers: { location: statusUrl, 'retry-after': retryAfterSeconds },
    body: { runId, status, statusUrl },
  };
}
