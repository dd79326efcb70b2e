import type { AcceptedRun, BodyReply, Exchange, MaybePromise, RespondPlugin } from '../../../src/contract/index.ts';
import { AnswerBodies } from '../answer-body.ts';
import { createRefused, type RefusedOptions, withRefused } from '../refused.ts';
import { createUnderWay, type RunStanding, type TakenOptions, withTaken } from '../taken.ts';
import type { Options } from './options.gen.ts';
import schema from './options.schema.json' with { type: 'json' };

/** The state of a run that was just stored. */
const stored: RunStanding = Object.freeze({ state: 'queued' });

export default {
  contract: 'v1',
  stage: 'respond',
  name: 'accepted',
  summary: 'Answers 202 at once with an address to poll; the run continues in the background.',
  optionsSchema: withRefused(withTaken(schema)),
  create(context, options) {
    const bodies = new AnswerBodies(context, options);
    const underWay = createUnderWay(options, bodies, options.body);
    const answer = (exchange: Exchange, run: AcceptedRun): MaybePromise<BodyReply> => {
      const view = run.wait(0);
      if (!(view instanceof Promise)) return underWay(exchange, run, view);
      // That its state cannot be read now must not make the caller send it again.
      return view.catch(() => stored).then((settled) => underWay(exchange, run, settled));
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
