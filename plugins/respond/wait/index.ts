import {
  type AcceptedRun,
  acceptsEventStream,
  type BodyReply,
  type Exchange,
  type MaybePromise,
  problem,
  type Reply,
  type RespondPlugin,
  type RunView,
} from '../../../src/contract/index.ts';
import { createRefused, type RefusedOptions, withRefused } from '../refused.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { type Terms, termsOf } from './prefer.ts';

/** When to look again after a wait in vain, in seconds. */
const retryAfterSeconds = '5';

export default {
  contract: 'v1',
  stage: 'respond',
  name: 'wait',
  summary: 'Waits for the run and answers with its output; after the timeout 408 with an address to poll.',
  optionsSchema: withRefused(schema),
  create(_context, options) {
    const { timeout: timeoutMs, async: mayBeAsync, stream: mayStream } = options;
    const answer = ({ headers }: Exchange, run: AcceptedRun): MaybePromise<Reply> => {
      if (mayStream && acceptsEventStream(headers.accept)) return { events: { run, timeoutMs } };
      const terms = headers.prefer === undefined ? undefined : termsOf(headers.prefer, timeoutMs, mayBeAsync);
      const view = run.wait(terms?.waitMs ?? timeoutMs);
      return view instanceof Promise ? view.then((settled) => reply(run, settled, terms)) : reply(run, view, terms);
    };
    const refused = createRefused(options, answer);
    return {
      respond: (exchange, outcome) =>
        outcome.kind === 'accepted' ? answer(exchange, outcome) : refused(exchange, outcome),
    };
  },
} satisfies RespondPlugin<Options & RefusedOptions>;

function reply(accepted: AcceptedRun, view: RunView, terms: Terms | undefined): BodyReply {
  const isUnderWay = view.state === 'queued' || view.state === 'running';
  const answer = isUnderWay && terms?.isAsync ? later(accepted, view) : outcome(accepted, view);
  if (terms === undefined || terms.applied === '') return answer;
  return { ...answer, headers: { ...answer.headers, 'preference-applied': terms.applied } };
}

function later({ runId, statusUrl }: AcceptedRun, { state }: RunView): BodyReply {
  return {
    status: 202,
    headers: { location: statusUrl, 'retry-after': retryAfterSeconds },
    body: { runId, status: state, statusUrl },
  };
}

function outcome({ runId, statusUrl }: AcceptedRun, view: RunView): BodyReply {
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
