import {
  type Exchange,
  type FilterResult,
  type MaybePromise,
  problem,
  type Reply,
  type RunPosition,
} from '../contract/index.ts';
import type { Claim, Engine, NewRun, Submission } from '../engine/types/index.ts';
import { newRunId } from './run-id.ts';
import type { LiveTrigger, Snapshot } from './snapshot.ts';

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

/** Takes an authenticated request through filter → dedup → run → respond. Waits only for what does not answer at once. */
export function fire(
  engine: Pick<Engine, 'submit'>,
  snapshot: Snapshot,
  trigger: LiveTrigger,
  exchange: Exchange,
): MaybePromise<Verdict> {
  return whenReady(runFilters(trigger, exchange), (filtered) => {
    if (filtered.kind !== 'passed') return refusal(filtered);
    return whenReady(claimOf(trigger, exchange), (claim) => {
      const run = newRun(snapshot, trigger, exchange);
      return whenReady(engine.submit(run, claim), (submission) =>
        verdictOf(submission, { run, snapshot, trigger, exchange }),
      );
    });
  });
}

/** How a request is answered that a filter stopped. */
export function refusal(filtered: Exclude<FilterVerdict, { kind: 'passed' }>): Verdict {
  const code = filtered.kind === 'dropped' ? 'filtered' : 'filter_error';
  return { ...filtered, reply: problem(code, { filter: filtered.by }) };
}

interface Submitted {
  readonly run: NewRun;
  readonly snapshot: Snapshot;
  readonly trigger: LiveTrigger;
  readonly exchange: Exchange;
}

function verdictOf(submission: Submission, { run, snapshot, trigger, exchange }: Submitted): MaybePromise<Verdict> {
  if (submission.kind === 'duplicate') {
    const { runId } = submission;
    const reply = problem('duplicate', { runId, statusUrl: statusUrl(snapshot, trigger, runId) });
    return { kind: 'duplicate', runId, reply };
  }
  if (submission.kind === 'unavailable') {
    const reply = problem('unavailable', {}, { 'retry-after': '1' });
    return { kind: 'unavailable', reason: submission.reason, reply };
  }
  const accepted = {
    runId: run.id,
    statusUrl: statusUrl(snapshot, trigger, run.id),
    wait: (timeoutMs: number) => submission.wait(timeoutMs),
    deltas: (after?: RunPosition, signal?: AbortSignal) => submission.deltas(after, signal),
  };
  return whenReady(trigger.respond.respond(exchange, accepted), (reply) => ({
    kind: 'accepted',
    runId: run.id,
    reply,
  }));
}

const passed: FilterVerdict = Object.freeze({ kind: 'passed' });

/** All filters must pass; the first that does not names the drop. */
export function runFilters(trigger: LiveTrigger, exchange: Exchange, first = 0): MaybePromise<FilterVerdict> {
  for (let index = first; index < trigger.filters.length; index += 1) {
    const { name, filter } = trigger.filters[index] as LiveTrigger['filters'][number];
    const result = filter.evaluate(exchange);
    if (result instanceof Promise) {
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

/** Goes on at once with what is there, and later with what is promised. */
function whenReady<Value, Next>(
  value: MaybePromise<Value>,
  next: (settled: Value) => MaybePromise<Next>,
): MaybePromise<Next> {
  return value instanceof Promise ? value.then(next) : next(value);
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
