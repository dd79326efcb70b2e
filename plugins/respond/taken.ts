import type { AcceptedRun, BodyReply, Exchange, JsonObject, MaybePromise, RunView } from '../../src/contract/index.ts';
import type { AnswerBodies, AnswerBody } from './answer-body.ts';
import type { Options as TakenOptions } from './taken.gen.ts';
import takenSchema from './taken.schema.json' with { type: 'json' };

export type { TakenOptions };

/** When to look at the run again, in seconds. */
export const retryAfterSeconds = '5';

/** What an answer needs to know of a run. */
export type RunStanding = Pick<RunView, 'state'> & Partial<RunView>;

/** Adds the options `accepted` and `body` to a plugin's own. */
export function withTaken(schema: { readonly properties: object }) {
  return { ...schema, properties: { ...schema.properties, ...takenSchema.properties } };
}

/**
 * Returns a function that answers for a run that is under way, as the options say: 202, or another status for senders
 * that take nothing else for a success.
 * @param body in place of the standard one, if `accepted` has none
 */
export function createUnderWay(
  { accepted: { status = 202, body: own } = {} }: TakenOptions,
  bodies: AnswerBodies,
  body?: TakenOptions['body'],
): (exchange: Exchange, run: AcceptedRun, view: RunStanding) => MaybePromise<BodyReply> {
  const fill = bodies.compile(own === undefined ? '/body' : '/accepted/body', own ?? body, status);
  return (exchange, run, view) => {
    const { runId, statusUrl } = run;
    const headers = { location: statusUrl, ...(status === 202 && { 'retry-after': retryAfterSeconds }) };
    if (status === 204) return { status, headers };
    return filled({ status, headers, body: { runId, status: view.state, statusUrl } }, fill, { exchange, run, view });
  };
}

interface Answered {
  readonly exchange: Exchange;
  readonly run: AcceptedRun;
  readonly view: RunStanding;
}

/** The answer with the body of the options, if they have one. */
export function filled(
  answer: BodyReply,
  fill: AnswerBody | undefined,
  { exchange, run, view }: Answered,
): MaybePromise<BodyReply> {
  return fill === undefined ? answer : fill(answer, outcomeOf(run, view, exchange), exchange);
}

/** What a body reads of a run. */
function outcomeOf(
  { runId, statusUrl }: AcceptedRun,
  { state, output, failure }: RunStanding,
  { sessionId }: Exchange,
): JsonObject {
  return {
    ...{ runId, status: state, statusUrl },
    ...(output !== undefined && { output }),
    ...(failure !== undefined && { error: { message: failure.message } }),
    ...(sessionId !== undefined && { sessionId }),
  };
}
