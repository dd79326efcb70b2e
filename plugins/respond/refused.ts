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
import type { Options as RefusedOptions } from './refused.gen.ts';
import refusedSchema from './refused.schema.json' with { type: 'json' };

export type { RefusedOptions };

/** Adds the options that all respond plugins share, `dropped` and `duplicate`, to a plugin's own. */
export function withRefused(schema: { readonly properties: object }): object {
  return { ...schema, properties: { ...schema.properties, ...refusedSchema.properties } };
}

/** How a plugin answers for a run. */
type Answer = (exchange: Exchange, run: AcceptedRun) => MaybePromise<Reply>;

/**
 * Returns a function that answers drops and duplicates as the options say: with another status, for senders that take a
 * 400 for a failure and retry, or disable the webhook; or as the first run of a duplicate, by `answer`.
 */
export function createRefused(
  { dropped, duplicate }: RefusedOptions,
  answer: Answer,
): (exchange: Exchange, outcome: DroppedOutcome | DuplicateOutcome) => MaybePromise<Reply | undefined> {
  return (exchange, outcome) => {
    if (outcome.kind === 'dropped') {
      const { filter } = outcome;
      return dropped && reply(dropped.status, 'filtered', { filter }, { status: 'dropped', filter });
    }
    if (outcome.kind !== 'duplicate') return undefined;
    const { runId, statusUrl } = outcome;
    if (duplicate !== 'first') {
      const members = { runId, statusUrl };
      return duplicate && reply(duplicate.status, 'duplicate', members, { ...members, status: 'duplicate' });
    }
    return answerAs(exchange, outcome, answer);
  };
}

/** A caller that may not read the first run, or comes when it is no longer kept, learns only that its request is a duplicate. */
async function answerAs(exchange: Exchange, { first }: DuplicateOutcome, answer: Answer): Promise<Reply | undefined> {
  const run = await first();
  return run && answer(exchange, run);
}

function reply(
  status: number,
  code: ProblemCode,
  members: Readonly<Record<string, string>>,
  body: Readonly<Record<string, string>>,
): BodyReply {
  if (status === 204) return { status };
  return status < 400 ? { status, body } : { ...problem(code, members), status };
}
