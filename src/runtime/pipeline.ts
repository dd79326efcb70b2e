import { type Claim, type Engine, type Exchange, type NewRun, problem, type Reply } from '../contract/index.ts';
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

/** Takes an authenticated request through filter → dedup → run → respond. */
export async function fire(
  engine: Engine,
  snapshot: Snapshot,
  trigger: LiveTrigger,
  exchange: Exchange,
): Promise<Verdict> {
  const filtered = await runFilters(trigger, exchange);
  if (filtered.kind === 'dropped') {
    return { ...filtered, reply: problem('filtered', { filter: filtered.by }) };
  }
  if (filtered.kind === 'filter_error') {
    return { ...filtered, reply: problem('filter_error', { filter: filtered.by }) };
  }

  const claim = await claimOf(trigger, exchange);
  const run = newRun(snapshot, trigger, exchange);
  const submission = await engine.submit(run, claim);
  if (submission.kind === 'duplicate') {
    const { runId } = submission;
    const reply = problem('duplicate', { runId, statusUrl: statusUrl(snapshot, trigger, runId) });
    return { kind: 'duplicate', runId, reply };
  }
  if (submission.kind === 'unavailable') {
    return {
      kind: 'unavailable',
      reason: submission.reason,
      reply: problem('unavailable', {}, { 'retry-after': '1' }),
    };
  }

  const accepted = {
    runId: run.id,
    statusUrl: statusUrl(snapshot, trigger, run.id),
    wait: (timeoutMs: number) => submission.wait(timeoutMs),
  };
  return { kind: 'accepted', runId: run.id, reply: await trigger.respond.respond(exchange, accepted) };
}

/** All filters must pass; the first that does not names the drop. */
export async function runFilters(trigger: LiveTrigger, exchange: Exchange): Promise<FilterVerdict> {
  for (const { name, filter } of trigger.filters) {
    const result = await filter.evaluate(exchange);
    if (result.kind === 'dropped') return { kind: 'dropped', by: name, reason: result.reason };
    if (result.kind === 'error') return { kind: 'filter_error', by: name, reason: result.reason };
  }
  return { kind: 'passed' };
}

async function claimOf(trigger: LiveTrigger, exchange: Exchange): Promise<Claim | undefined> {
  const fingerprint = trigger.dedup && (await trigger.dedup.fingerprint(exchange));
  if (fingerprint === undefined) return undefined;
  const { key, windowMs, keepOnFailure } = fingerprint;
  return { scope: trigger.claimScope, fingerprint: key, windowMs, keepOnFailure };
}

function newRun(snapshot: Snapshot, trigger: LiveTrigger, exchange: Exchange): NewRun {
  const { sessionId } = exchange.input;
  return {
    id: newRunId(),
    project: trigger.project.id,
    trigger: trigger.trigger.key,
    revision: snapshot.revision,
    principal: exchange.principal.id,
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
