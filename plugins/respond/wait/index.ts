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
import { AnswerBodies } from '../answer-body.ts';
import { createRefused, type RefusedOptions, withRefused } from '../refused.ts';
import { createUnderWay, filled, retryAfterSeconds, type TakenOptions, withTaken } from '../taken.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };
import { type Terms, termsOf } from './prefer.ts';

export default {
  contract: 'v1',
  stage: 'respond',
  name: 'wait',
  summary: 'Waits for the run and answers with its output; after the timeout 408 with an address to poll.',
  optionsSchema: withRefused(withTaken(schema)),
  create(context, options) {
    const { timeout: timeoutMs, async: mayBeAsync, stream: mayStream, accepted } = options;
    const bodies = new AnswerBodies(context, options);
    const underWay = createUnderWay(options, bodies);
    const fill = bodies.compile('/body', options.body, 200);
    const answerTo = (
      exchange: Exchange,
      run: AcceptedRun,
      view: RunView,
      isAsync = false,
    ): MaybePromise<BodyReply> => {
      const { state } = view;
      const isUnderWay = state === 'queued' || state === 'running';
      if (isUnderWay && (isAsync || accepted !== undefined)) return underWay(exchange, run, view);
      const answer = outcome(run, view);
      return answer.status === 200 ? filled(answer, fill, { exchange, run, view }) : answer;
    };
    const answer = (exchange: Exchange, run: AcceptedRun): MaybePromise<Reply> => {
      const { accept, prefer } = exchange.headers;
      if (mayStream && acceptsEventStream(accept)) return { events: { run, timeoutMs } };
      const terms = prefer === undefined ? undefined : termsOf(prefer, timeoutMs, mayBeAsync);
      const view = run.wait(terms?.waitMs ?? timeoutMs);
      const reply =
        view instanceof Promise
          ? view.then((settled) => answerTo(exchange, run, settled, terms?.isAsync))
          : answerTo(exchange, run, view, terms?.isAsync);
      if (terms === undefined || terms.applied === '') return reply;
      return reply instanceof Promise ? reply.then((settled) => applied(settled, terms)) : applied(reply, terms);
    };
    const refused = createRefused(options, bodies, answer);
    bodies.check();
    return {
      reads: { headers: options.headers ?? [] },
      respond: (exchange, outcome) =>
        outcome.kind === 'accepted' ? answer(exchange, outcome) : refused(exchange, outcome),
    };
  },
} satisfies RespondPlugin<Options & RefusedOptions & TakenOptions>;

function applied(reply: BodyReply, terms: Terms): BodyReply {
  return { ...reply, headers: { ...reply.headers, 'preference-applied': terms.applied } };
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
