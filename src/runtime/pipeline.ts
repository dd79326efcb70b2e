import {
  type Exchange,
  type FilterResult,
  type MaybePromise,
  type Outcome,
  problem,
  type Reply,
} from '../contract/index.ts';
import type { Claim, Engine, NewRun, Submission } from '../engine/types/index.ts';
import { newRunId } from './run-id.ts';
import type { LiveTrigger, Snapshot } from './snapshot.ts';
import { isRunOf, mayUse, type RunReader, storedRun } from './stored-run.ts';
import { isThenable, whenReady } from './when-ready.ts';

/** What the filter stage decided. */
export type FilterVerdict =
  | { readonly kind: 'passed' }
  | { readonly kind: 'dropped'; readonly by: string; readonly reason: string }
  | { readonly kind: 'filter_error'; readonly by: string; readonly reason: string };

/** What the pipeline decided, and the answer to it. */
export type Verdict =
  | { readonly kind: 'accepted'; readonly runId: string; readonly reply: Reply }
  | { readonly kind: 'dropped'; readonly by: string; readonly reason: string; readonly reply: Reply }
  | { readonly kind: 'filter_error'; readonly by: string; readonly reason: string; readonly reply: Reply }
  | { readonly kind: 'duplicate'; readonly runId: string; readonly reply: Reply }
  | { readonly kind: 'unavailable'; readonly reason: string; readonly reply: Reply };

/** What of an engine the pipeline uses. */
export type PipelineEngine = Pick<Engine, 'submit'> & RunReader;

/** Takes an authenticated request through filter → dedup → run → respond. Waits only for what does not answer at once. */
export function fire(
  engine: PipelineEngine,
  snapshot: Snapshot,
  trigger: LiveTrigger,
  exchange: Exchange,
): MaybePromise<Verdict> {
  return whenReady(runFilters(trigger, exchange), (filtered) => {
    if (filtered.kind !== 'passed') return refusal(trigger, exchange, filtered);
    return whenReady(claimOf(trigger, exchange), (claim) => {
      const run = newRun(snapshot, trigger, exchange);
      return whenReady(engine.submit(run, claim), (submission) =>
        verdictOf(submission, { engine, run, snapshot, trigger, exchange }),
      );
    });
  });
}

/** How a request is answered that a filter stopped: a drop as the respond stage wants it. */
export function refusal(
  trigger: LiveTrigger,
  exchange: Exchange,
  filtered: Exclude<FilterVerdict, { kind: 'passed' }>,
): MaybePromise<Verdict> {
  const { by } = filtered;
  if (filtered.kind === 'filter_error') return { ...filtered, reply: problem('filter_error', { filter: by }) };
  const reply = problem('filtered', { filter: by });
  return whenReady(replyTo(trigger, exchange, { kind: 'dropped', filter: by }, reply), (answer) => ({
    ...filtered,
    reply: answer,
  }));
}

interface Submitted {
  readonly engine: PipelineEngine;
  readonly run: NewRun;
  readonly snapshot: Snapshot;
  readonly trigger: LiveTrigger;
  readonly exchange: Exchange;
}

function verdictOf(submission: Submission, submitted: Submitted): MaybePromise<Verdict> {
  const { engine, run, snapshot, trigger, exchange } = submitted;
  if (submission.kind === 'unavailable') {
    const reply = problem('unavailable', {}, { 'retry-after': '1' });
    return { kind: 'unavailable', reason: submission.reason, reply };
  }
  if (submission.kind === 'duplicate') {
    const { runId } = submission;
    const url = statusUrl(snapshot, trigger, runId);
    const first = async () => {
      const found = await engine.get(runId);
      const isReadable = found !== undefined && isRunOf(found, trigger) && mayUse(exchange.caller, found);
      return isReadable ? storedRun(engine, runId, url) : undefined;
    };
    const outcome: Outcome = { kind: 'duplicate', runId, statusUrl: url, first };
    const reply = problem('duplicate', { runId, statusUrl: url });
    return whenReady(replyTo(trigger, exchange, outcome, reply), (answer) => ({
      kind: 'duplicate',
      runId,
      reply: answer,
    }));
  }
  const accepted: Outcome = {
    kind: 'accepted',
    runId: run.id,
    statusUrl: statusUrl(snapshot, trigger, run.id),
    wait: (timeoutMs) => submission.wait(timeoutMs),
    deltas: (after, signal) => submission.deltas(after, signal),
  };
  return whenReady(trigger.respond.respond(exchange, accepted), (reply) => {
    if (reply === undefined) throw new Error('the respond plugin returned no reply to an accepted request');
    return { kind: 'accepted', runId: run.id, reply };
  });
}

/**
 * The reply of the respond stage to a request that stored nothing, or else the gateway's own. A plugin that throws, e.g.
 * because it expects a run, must not turn a clear 400 into a failure of the gateway.
 */
function replyTo(trigger: LiveTrigger, exchange: Exchange, outcome: Outcome, otherwise: Reply): MaybePromise<Reply> {
  try {
    const reply = trigger.respond.respond(exchange, outcome);
    return isThenable(reply)
      ? reply.then(
          (settled) => settled ?? otherwise,
          () => otherwise,
        )
      : (reply ?? otherwise);
  } catch {
    return otherwise;
  }
}

const passed: FilterVerdict = Object.freeze({ kind: 'passed' });

/** All filters must pass; the first that does not names the drop. */
export function runFilters(trigger: LiveTrigger, exchange: Exchange, first = 0): MaybePromise<FilterVerdict> {
  for (let index = first; index < trigger.filters.length; index += 1) {
    const { name, filter } = trigger.filters[index] as LiveTrigger['filters'][number];
    const result = filter.evaluate(exchange);
    if (isThenable(result)) {
      return result.then((settled) => refusedBy(name, settled) ?? runFilters(trigger, exchange, index + 1));
    }
    const refused = refusedBy(name, result);
    if (refused !== undefined) return refused;
  }
  return passed;
}

function refusedBy(by: string, result: FilterResult): FilterVerdict | undefined {
  if (result.kind === 'passed') return undefined;
  return { kind: result.kind === 'dropped' ? 'dropped' : 'filter_error', by, reason: result.reason };
}

function claimOf(trigger: LiveTrigger, exchange: Exchange): MaybePromise<Claim | undefined> {
  if (trigger.dedup === undefined) return undefined;
  return whenReady(trigger.dedup.fingerprint(exchange), (fingerprint) => {
    if (fingerprint === undefined) return undefined;
    const { key, windowMs, keepOnFailure } = fingerprint;
    return { scope: trigger.claimScope, fingerprint: key, windowMs, keepOnFailure };
  });
}

function newRun(snapshot: Snapshot, trigger: LiveTrigger, exchange: Exchange): NewRun {
  const { sessionId } = exchange.input;
  return {
    id: newRunId(),
    project: trigger.project.id,
    trigger: trigger.trigger.key,
    revision: snapshot.revision,
    caller: exchange.caller.id,
    sessionId: typeof sessionId === 'string' ? sessionId : undefined,
    replayOf: undefined,
    input: exchange.input,
    policy: trigger.policy,
    acceptedAt: exchange.receivedAt,
  };
}

/** Absolute path on the public listener at which a caller reads a run. */
export function statusUrl(snapshot: Snapshot, { project, trigger }: LiveTrigger, runId: string): string {
  return `${snapshot.config.server.basePath}/project/${project.id}/trigger/${trigger.key}/run/${runId}`;
}

/** Absolute path on the public listener at which an agent tells the end of a run that it works on by itself. */
export function completionUrl(snapshot: Snapshot, trigger: LiveTrigger, runId: string): string {
  return `${statusUrl(snapshot, trigger, runId)}/completion`;
}
