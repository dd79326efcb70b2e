import {
  type AcceptedRun,
  type BodyReply,
  type DroppedOutcome,
  type DuplicateOutcome,
  type Exchange,
  type MaybePromise,
  type ProblemCode,
  problem,
  type Reply,
} from '../../src/contract/index.ts';
import type { AnswerBodies } from './answer-body.ts';
import type { BodyOption } from './body-content.ts';
import type { Options as RefusedOptions } from './refused.gen.ts';
import refusedSchema from './refused.schema.json' with { type: 'json' };

export type { RefusedOptions };

/** Adds the options that all respond plugins share, such as `dropped` and `duplicate`, to a plugin's own. */
export function withRefused(schema: { readonly properties: object }): object {
  return { ...schema, properties: { ...schema.properties, ...refusedSchema.properties } };
}

/** How a plugin answers for a run. */
type Answer = (exchange: Exchange, run: AcceptedRun) => MaybePromise<Reply>;

type Refused = (exchange: Exchange, outcome: DroppedOutcome | DuplicateOutcome) => MaybePromise<Reply | undefined>;

/**
 * Returns a function that answers drops and duplicates as the options say: with another status or body, for senders that
 * take a 400 for a failure and retry, or disable the webhook; or as the first run of a duplicate, by `answer`.
 */
export function createRefused({ dropped, duplicate }: RefusedOptions, bodies: AnswerBodies, answer: Answer): Refused {
  const drop = createRefusal('filtered', '/dropped', dropped, bodies);
  const repeat = createRefusal('duplicate', '/duplicate', duplicate === 'first' ? undefined : duplicate, bodies);
  return (exchange, outcome) => {
    if (outcome.kind === 'dropped') {
      const { filter } = outcome;
      return drop?.(exchange, { filter }, { status: 'dropped', filter });
    }
    if (outcome.kind !== 'duplicate') return undefined;
    if (duplicate === 'first') return answerAs(exchange, outcome, answer);
    const { runId, statusUrl } = outcome;
    return repeat?.(exchange, { runId, statusUrl }, { runId, statusUrl, status: 'duplicate' });
  };
}

/** If the caller may not read the first run, or retention has deleted it, the answer says only that the request is a duplicate. */
async function answerAs(exchange: Exchange, { first }: DuplicateOutcome, answer: Answer): Promise<Reply | undefined> {
  const run = await first();
  return run && answer(exchange, run);
}

type Members = Readonly<Record<string, string>>;

/** Returns the function that answers a refusal: with a problem of these members, or a body; undefined without options. */
function createRefusal(
  code: ProblemCode,
  pointer: string,
  options: { readonly status?: number | undefined; readonly body?: BodyOption | undefined } | undefined,
  bodies: AnswerBodies,
): ((exchange: Exchange, members: Members, body: Members) => MaybePromise<BodyReply>) | undefined {
  if (options === undefined) return undefined;
  const { status = 200, body: own } = options;
  const fill = bodies.compile(`${pointer}/body`, own, status);
  return (exchange, members, body) => {
    if (status === 204) return { status };
    if (status >= 400) return { ...problem(code, members), status };
    return fill === undefined ? { status, body } : fill({ status, body }, body, exchange);
  };
}
