import type { DebounceConfig } from '../config/model.ts';
import {
  type Exchange,
  type FilterResult,
  type Fingerprint,
  FingerprintError,
  isFinal,
  type MaybePromise,
  type Outcome,
  type PluginLog,
  problem,
  type Reply,
  WorkExhausted,
} from '../contract/index.ts';
import {
  type Claim,
  conversationId,
  type Engine,
  EngineUnavailable,
  type LimitCharge,
  type NewRun,
  type Reservation,
  type Submission,
} from '../engine/types/index.ts';
import { debouncedReply, debounceOf } from './debounce.ts';
import { chargesOf } from './limits/charges.ts';
import type { Expectations } from './limits/expectations.ts';
import { limitValue } from './limits/limit-value.ts';
import { limitedReply } from './limits/limited-reply.ts';
import type { LiveLimit } from './limits/live-limit.ts';
import { limitOf } from './limits/request-limits.ts';
import { originOf } from './origin.ts';
import { assertReply } from './reply.ts';
import { statusUrl } from './run-address.ts';
import { newRunId } from './run-id.ts';
import type { LiveTrigger } from './snapshot.ts';
import { startTimeOf } from './start-time.ts';
import { isRunOf, mayUse, type RunReader, storedRun } from './stored-run.ts';
import {
  concurrencyStage,
  debounceStage,
  dedupStage,
  type FilterError,
  limitStage,
  type PipelineVerdict,
  type StoppedVerdict,
  verdictWords,
} from './verdict.ts';
import { isThenable, whenReady } from './when-ready.ts';

/** What the filter stage decided. */
export type FilterVerdict = { readonly kind: 'passed' } | StoppedVerdict;

/** What the pipeline decided, and the reply to it. */
export type Answered = PipelineVerdict & { readonly reply: Reply };

/** What the pipeline may use of its surroundings. */
export interface PipelineParts {
  readonly log?: PluginLog;
  /** What the body takes: a run that starts holds it until it ends. */
  readonly memory?: Reservation | undefined;
  readonly expectations?: Pick<Expectations, 'of'>;
}

/** What of an engine the pipeline uses. */
export type PipelineEngine = Pick<Engine, 'submit'> & RunReader;

/** Takes an authenticated request through filter → dedup → run → respond. Waits only for what does not answer at once. */
export function fire(
  engine: PipelineEngine,
  trigger: LiveTrigger,
  exchange: Exchange,
  { log, memory, expectations }: PipelineParts = {},
): MaybePromise<Answered> {
  return whenReady(runFilters(trigger, exchange), (filtered) => {
    if (filtered.kind !== 'passed') return refusal(trigger, exchange, filtered, log);
    return whenReady(claimOf(trigger, exchange), (claimed) => {
      if (claimed.kind === 'not_claimed') {
        const { error, detail } = claimed;
        return { ...error, reply: problem('filter_error', { detail }) };
      }
      const accepted = newRun(trigger, exchange, memory);
      const found = withConcurrencyValue(accepted, trigger, exchange);
      if (!found.ok) return { ...found.error, reply: problem('filter_error', { detail: notLimited }) };
      const { run } = found;
      const limits = runLimits(trigger, exchange.caller);
      const charges = chargesFor(limits, trigger, exchange, run, expectations);
      if (!charges.ok) return { ...charges.error, reply: problem('filter_error', { detail: notCounted }) };
      const { debounce } = trigger.config;
      const debounced = debounce && debouncedRun(debounce, run, trigger, exchange);
      if (debounced?.ok === false) return { ...debounced.error, reply: problem('filter_error', { detail: noBurst }) };
      return whenReady(engine.submit(debounced?.run ?? run, claimed.claim, charges.charges), (submission) =>
        answerTo(submission, { engine, runId: run.id, trigger, exchange, limits, log }),
      );
    });
  });
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
    const limit = limitOf(submitted.limits, id);
    return { kind: 'limited', by: limit.name, reply: limitedReply(limit, retryAt, Date.now()) };
  }
  if (submission.kind === 'busy') return busyAnswer(submission.runId, submitted);
  if (submission.kind === 'used_up') return { kind: 'used_up', reply: problem(verdictWords.used_up.code) };
  if (submission.kind === 'duplicate') {
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
    return acceptedBy(submission, { runId, reply }, submitted.limits);
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
    return acceptedBy(submission, { runId, reply }, submitted.limits);
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
  limits: readonly LiveLimit[],
): Answered {
  if (shadowed.length === 0) return { kind: 'accepted', ...answer };
  return { kind: 'accepted', ...answer, shadowed: shadowed.map((id) => limitOf(limits, id).name) };
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
    log?.error({ err: error, trigger: trigger.id, plugin: uses }, 'respond plugin failed; sending the default answer');
    return otherwise;
  };
  try {
    const reply = trigger.respond.respond(exchange, outcome);
    return isThenable(reply) ? Promise.resolve(reply).then(replyOr).catch(failed) : replyOr(reply);
  } catch (error) {
    return failed(error);
  }
}

const passed: FilterVerdict = Object.freeze({ kind: 'passed' });

/** All filters must pass; the first that does not names the drop. */
export function runFilters(trigger: LiveTrigger, exchange: Exchange, first = 0): MaybePromise<FilterVerdict> {
  for (let index = first; index < trigger.filter.length; index += 1) {
    const { name, instance } = trigger.filter[index] as LiveTrigger['filter'][number];
    let result: MaybePromise<FilterResult>;
    try {
      result = instance.evaluate(exchange);
    } catch (error) {
      return exhausted(name, error);
    }
    if (isThenable(result)) {
      return Promise.resolve(result).then(
        (settled) => refusedBy(name, settled) ?? runFilters(trigger, exchange, index + 1),
        (error: unknown) => exhausted(name, error),
      );
    }
    const refused = refusedBy(name, result);
    if (refused !== undefined) return refused;
  }
  return passed;
}

/** The verdict if the request exceeded its limit of work; anything else that a plugin throws is a bug. */
function exhausted(by: string, error: unknown): FilterError {
  if (!WorkExhausted.is(error)) throw error;
  return { kind: 'filter_error', by, reason: 'the request exceeds its limit of work' };
}

function refusedBy(by: string, result: FilterResult): FilterVerdict | undefined {
  if (result.kind === 'passed') return undefined;
  return { kind: result.kind === 'dropped' ? 'dropped' : 'filter_error', by, reason: result.reason };
}

/** What the dedup stage decided; without a claim, the request takes no part in it. */
type Claimed =
  | { readonly kind: 'claimed'; readonly claim?: Claim }
  | { readonly kind: 'not_claimed'; readonly error: FilterError; readonly detail: string };

const unclaimed: Claimed = Object.freeze({ kind: 'claimed' });
const tooMuchToCompare = 'Comparing the body with earlier ones takes too much work.';
const notCompared = 'The request could not be compared with earlier ones.';

function claimOf({ id, dedup }: LiveTrigger, exchange: Exchange): MaybePromise<Claimed> {
  if (dedup === undefined) return unclaimed;
  const claimed = (fingerprint: Fingerprint | undefined): Claimed => {
    if (fingerprint === undefined) return unclaimed;
    const { key, windowMs, keepOnFailure } = fingerprint;
    return { kind: 'claimed', claim: { scope: id, fingerprint: key, windowMs, keepOnFailure } };
  };
  try {
    const fingerprint = dedup.fingerprint(exchange);
    if (!isThenable(fingerprint)) return claimed(fingerprint);
    return Promise.resolve(fingerprint).then(claimed, notClaimed);
  } catch (error) {
    return notClaimed(error);
  }
}

function notClaimed(error: unknown): Claimed {
  if (!FingerprintError.is(error)) {
    return { kind: 'not_claimed', error: exhausted(dedupStage, error), detail: tooMuchToCompare };
  }
  const { message: reason } = error;
  return { kind: 'not_claimed', error: { kind: 'filter_error', by: dedupStage, reason }, detail: notCompared };
}

/** The limits of runs that apply to a caller of the trigger. */
function runLimits({ limits }: LiveTrigger, { id }: Exchange['caller']): readonly LiveLimit[] {
  const { runs } = limits;
  const own = limits.keys.get(id)?.runs;
  return own === undefined || own.length === 0 ? runs : [...runs, ...own];
}

type RunCharges =
  | { readonly ok: true; readonly charges: readonly LimitCharge[] }
  | { readonly ok: false; readonly error: FilterError };

const notCounted = 'What a limit counts could not be found in the request.';

function chargesFor(
  limits: readonly LiveLimit[],
  trigger: LiveTrigger,
  exchange: Exchange,
  { conversation }: NewRun,
  expectations: PipelineParts['expectations'],
): RunCharges {
  if (limits.length === 0) return uncharged;
  const { caller, ip, receivedAt } = exchange;
  try {
    const request = { trigger, caller, ip, conversation, subject: () => exchange };
    const charges = chargesOf(limits, request, receivedAt, expectations?.of(trigger.id));
    if (charges.ok) return charges;
    return { ok: false, error: { kind: 'filter_error', by: limitStage, reason: charges.message } };
  } catch (error) {
    return { ok: false, error: exhausted(limitStage, error) };
  }
}

type FoundRun = { readonly ok: true; readonly run: NewRun } | { readonly ok: false; readonly error: FilterError };

const noBurst = 'What the trigger debounces by could not be found in the request.';

/** The run with its burst. */
function debouncedRun(config: DebounceConfig, run: NewRun, trigger: LiveTrigger, exchange: Exchange): FoundRun {
  try {
    const found = debounceOf(config, trigger, exchange, run);
    if (found.ok) return { ok: true, run: { ...run, debounce: found.debounce } };
    return { ok: false, error: { kind: 'filter_error', by: debounceStage, reason: found.message } };
  } catch (error) {
    return { ok: false, error: exhausted(debounceStage, error) };
  }
}

const notLimited = 'What the concurrency is limited by could not be found in the request.';

/** The run with the value by which the concurrency of its trigger is limited, if it is. */
function withConcurrencyValue(run: NewRun, trigger: LiveTrigger, exchange: Exchange): FoundRun {
  const { concurrencyPer } = trigger;
  if (concurrencyPer === undefined) return { ok: true, run };
  const { caller, ip } = exchange;
  const { conversation } = run;
  try {
    const found = limitValue(concurrencyPer, { trigger, caller, ip, conversation, subject: () => exchange });
    if (found.ok) return { ok: true, run: { ...run, concurrencyValue: found.value } };
    return { ok: false, error: { kind: 'filter_error', by: concurrencyStage, reason: found.message } };
  } catch (error) {
    return { ok: false, error: exhausted(concurrencyStage, error) };
  }
}

const uncharged: RunCharges = Object.freeze({ ok: true, charges: [] });

function newRun(trigger: LiveTrigger, exchange: Exchange, inputMemory: Reservation | undefined): NewRun {
  const { sessionId, caller } = exchange;
  const { scope, onBusy } = trigger.config.sessions;
  const named = {
    project: trigger.project.id,
    trigger: trigger.key,
    caller: caller.id,
    sessionId,
  };
  return {
    id: newRunId(),
    ...named,
    secret: caller.credential,
    requestId: exchange.requestId,
    conversation: conversationId(named, scope),
    revision: trigger.revision,
    replayOf: undefined,
    input: exchange.input,
    origin: originOf(exchange, trigger.bindings),
    policy: trigger.policy,
    acceptedAt: exchange.receivedAt,
    startsAt: startTimeOf(trigger, exchange),
    uses: usesOf(caller),
    onBusy: onBusy === 'enqueue' ? undefined : onBusy,
    inputMemory,
  };
}

function usesOf({ token }: Exchange['caller']): NewRun['uses'] {
  return token?.uses === undefined
    ? undefined
    : { id: token.id, limit: token.uses, until: token.expiresAt + inFlightMs };
}

/** A request that arrived before its token ended may still be on its way: `server.requestTimeout` is a day at most. */
const inFlightMs = 25 * 3_600_000;
