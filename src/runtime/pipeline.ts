import {
  type Exchange,
  isFinal,
  type MaybePromise,
  type Outcome,
  type PluginLog,
  problem,
  type Reply,
} from '../contract/index.ts';
import {
  type Engine,
  EngineUnavailable,
  type LimitCharge,
  type Reservation,
  type RunTrace,
  type Submission,
} from '../engine/types/index.ts';
import { withConcurrencyValue } from './concurrency-value.ts';
import { debouncedReply, debouncedRun } from './debounce.ts';
import { claimOf } from './dedup-claim.ts';
import { countedLimit } from './limits/counted-limit.ts';
import type { Expectations } from './limits/expectations.ts';
import { limitedReply } from './limits/limited-reply.ts';
import type { LiveLimit } from './limits/live-limit.ts';
import { runCharges } from './limits/run-charges.ts';
import { limitsFor } from './limits/trigger-limits.ts';
import { newRun } from './new-run.ts';
import { assertReply } from './reply.ts';
import { statusUrl } from './run-address.ts';
import { runFilters } from './run-filters.ts';
import type { LiveTrigger } from './snapshot.ts';
import { isRunOf, mayUse, type RunReader, storedRun } from './stored-run.ts';
import { type FilterError, type PipelineVerdict, type StoppedVerdict, verdictWords } from './verdict.ts';
import { isThenable, whenReady } from './when-ready.ts';

/** What the pipeline decided, and the reply to it. */
export type Answered = PipelineVerdict & { readonly reply: Reply };

/** What the pipeline may use of its surroundings. */
export interface PipelineParts {
  readonly log?: PluginLog;
  /** What the body takes: a run that starts holds it until it ends. */
  readonly memory?: Reservation | undefined;
  readonly expectations?: Pick<Expectations, 'of'>;
  /** The place of the run in a trace. */
  readonly trace?: RunTrace | undefined;
}

const notLimited = 'What the concurrency is limited by could not be found in the request.';
const notCounted = 'What a limit counts could not be found in the request.';
const noBurst = 'What the trigger debounces by could not be found in the request.';

/** What of an engine the pipeline uses. */
export type PipelineEngine = Pick<Engine, 'submit'> & RunReader;

/** Takes an authenticated request through filter → dedup → run → respond. Waits only for what does not answer at once. */
export function fire(
  engine: PipelineEngine,
  trigger: LiveTrigger,
  exchange: Exchange,
  { log, memory, expectations, trace }: PipelineParts = {},
): MaybePromise<Answered> {
  return whenReady(runFilters(trigger, exchange), (filtered) => {
    if (filtered.kind !== 'passed') return refusal(trigger, exchange, filtered, log);
    return whenReady(claimOf(trigger, exchange), (claimed) => {
      if (claimed.kind === 'not_claimed') {
        const { error, detail } = claimed;
        return unanswerable(error, detail);
      }
      const found = withConcurrencyValue(newRun(trigger, exchange, { inputMemory: memory, trace }), trigger, exchange);
      if (!found.ok) return unanswerable(found.error, notLimited);
      const { run } = found;
      const limits = limitsFor(trigger.limits, exchange.caller.id, 'runs');
      const charges = runCharges(limits, trigger, exchange, run, expectations);
      if (!charges.ok) return unanswerable(charges.error, notCounted);
      const { debounce } = trigger.config;
      const debounced = debounce && debouncedRun(debounce, run, trigger, exchange);
      if (debounced?.ok === false) return unanswerable(debounced.error, noBurst);
      return whenReady(engine.submit(debounced?.run ?? run, claimed.claim, charges.charges), (submission) =>
        answerTo(submission, { engine, runId: run.id, trigger, exchange, limits, charges: charges.charges, log }),
      );
    });
  });
}

/** The answer to a request that a stage after the filters cannot be evaluated for. */
function unanswerable(error: FilterError, detail: string): Answered {
  return { ...error, reply: problem('filter_error', { detail }) };
}

/** The answer to a request that a filter stopped: for a drop, the reply of the respond stage. */
export function refusal(
  trigger: LiveTrigger,
  exchange: Exchange,
  filtered: StoppedVerdict,
  log?: PluginLog,
): MaybePromise<Answered> {
  const { kind, by } = filtered;
  const reply = problem(verdictWords[kind].code, { filter: by });
  if (kind === 'filter_error') return { ...filtered, reply };
  return whenReady(replyTo(trigger, exchange, { kind: 'dropped', filter: by }, { reply, log }), (answer) => ({
    ...filtered,
    reply: answer,
  }));
}

interface Submitted {
  readonly engine: PipelineEngine;
  readonly runId: string;
  readonly trigger: LiveTrigger;
  readonly exchange: Exchange;
  readonly limits: readonly LiveLimit[];
  readonly charges: readonly LimitCharge[];
  readonly log: PluginLog | undefined;
}

function answerTo(submission: Submission, submitted: Submitted): MaybePromise<Answered> {
  const { engine, trigger, exchange } = submitted;
  if (submission.kind === 'unavailable') {
    const reply = problem(verdictWords.unavailable.code, {}, { 'retry-after': '1' });
    return { kind: 'unavailable', reason: submission.reason, reply };
  }
  if (submission.kind === 'limited') {
    const { limit: id, retryAt } = submission;
    const counted = countedLimit(submitted.limits, submitted.charges, id);
    const { limit } = counted;
    return { kind: 'limited', by: limit.name, limits: [counted], reply: limitedReply(limit, retryAt, Date.now()) };
  }
  if (submission.kind === 'busy') return busyAnswer(submission.runId, submitted);
  if (submission.kind === 'used_up') return { kind: 'used_up', reply: problem(verdictWords.used_up.code) };
  if (submission.kind === 'duplicate' || submission.kind === 'repeated') {
    const { runId } = submission;
    const first = async () => {
      const found = await engine.get(runId);
      if (found === undefined || !isRunOf(found, trigger) || !mayUse(exchange.caller, found, exchange.sessionId))
        return undefined;
      // Its record policy keeps no output: nothing can be answered as before.
      const isGone = isFinal(found.state) && found.output === undefined && found.failure === undefined;
      return isGone ? undefined : storedRun(engine, trigger, runId);
    };
    const ofFirst = { runId, statusUrl: statusUrl(trigger, runId) };
    const outcome: Outcome = { kind: 'duplicate', ...ofFirst, first };
    const reply = problem(verdictWords.duplicate.code, ofFirst);
    return whenReady(replyTo(trigger, exchange, outcome, { reply, log: submitted.log }), (answer) => ({
      kind: 'duplicate',
      runId,
      reply: answer,
    }));
  }
  const { debounce } = trigger.config;
  if (debounce !== undefined) {
    const now = Date.now();
    const { runId, startsAt } = submission.burst ?? { runId: submitted.runId, startsAt: now + debounce.waitMs };
    const reply = debouncedReply(trigger, runId, startsAt - now);
    return acceptedBy(submission, { runId, reply }, submitted);
  }
  const { runId } = submitted;
  const accepted: Outcome = {
    kind: 'accepted',
    runId,
    statusUrl: statusUrl(trigger, runId),
    wait: (timeoutMs) => submission.wait(timeoutMs),
    deltas: (after, signal) => submission.deltas(after, signal),
  };
  return whenReady(trigger.respond.respond(exchange, accepted), (reply) => {
    assertReply(reply);
    return acceptedBy(submission, { runId, reply }, submitted);
  });
}

/** When a caller whose session is busy may try again, in seconds. */
const busyRetryAfter = '5';

/** Names the run that keeps the session busy, if the caller may read it. */
async function busyAnswer(runId: string, { engine, trigger, exchange }: Submitted): Promise<Answered> {
  const found = await engine.get(runId);
  const mayRead = found !== undefined && mayUse(exchange.caller, found, exchange.sessionId);
  const members = mayRead ? { runId, statusUrl: statusUrl(trigger, runId) } : {};
  return { kind: 'busy', runId, reply: problem(verdictWords.busy.code, members, { 'retry-after': busyRetryAfter }) };
}

function acceptedBy(
  { shadowed }: Pick<Extract<Submission, { kind: 'accepted' }>, 'shadowed'>,
  answer: { readonly runId: string; readonly reply: Reply },
  { limits, charges }: Pick<Submitted, 'limits' | 'charges'>,
): Answered {
  if (shadowed.length === 0) return { kind: 'accepted', ...answer };
  const counted = shadowed.map((id) => countedLimit(limits, charges, id));
  return { kind: 'accepted', ...answer, limits: counted, shadowed: counted.map(({ limit }) => limit.name) };
}

/**
 * The reply of the respond stage to a request that stored nothing, or else the gateway's own. A plugin that throws, e.g.
 * because it expects a run, must not turn a clear 400 into a failure of the gateway; a store out of reach is none of its own.
 */
function replyTo(
  trigger: LiveTrigger,
  exchange: Exchange,
  outcome: Outcome,
  { reply: otherwise, log }: { readonly reply: Reply; readonly log: PluginLog | undefined },
): MaybePromise<Reply> {
  const replyOr = (reply: Reply | undefined): Reply => {
    if (reply === undefined) return otherwise;
    assertReply(reply);
    return reply;
  };
  const failed = (error: unknown): Reply => {
    if (EngineUnavailable.is(error)) throw error;
    const { uses } = trigger.config.respond;
    log?.error(
      { err: error, requestId: exchange.requestId, trigger: trigger.id, plugin: uses },
      'respond plugin failed; sending the default answer',
    );
    return otherwise;
  };
  try {
    const reply = trigger.respond.respond(exchange, outcome);
    return isThenable(reply) ? Promise.resolve(reply).then(replyOr).catch(failed) : replyOr(reply);
  } catch (error) {
    return failed(error);
  }
}
