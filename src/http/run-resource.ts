import {
  type Engine,
  isFinal,
  type JsonObject,
  type Principal,
  problem,
  type Reply,
  type RunRecord,
} from '../contract/index.ts';
import { statusUrl } from '../runtime/pipeline.ts';
import type { LiveTrigger, Snapshot } from '../runtime/snapshot.ts';
import type { Admission } from './admission.ts';

/** How soon a caller may ask again for a run that goes on, in seconds. */
const retryAfter = '2';

/**
 * `GET …/run/:runId` tells how a run stands. `DELETE` cancels it, and tells how it stands then; one that has ended
 * stays as it is.
 */
export async function answerRun(
  engine: Engine,
  snapshot: Snapshot,
  admission: Admission,
  runId: string,
  method: string,
): Promise<Reply> {
  if (method !== 'GET' && method !== 'DELETE') return problem('method_not_allowed', {}, { allow: 'GET, DELETE' });
  const found = await findRun(engine, admission, runId);
  if (typeof found === 'string') return problem(found);
  if (method === 'GET') return runReply(snapshot, admission.trigger, found);
  await engine.cancel(runId);
  return runReply(snapshot, admission.trigger, (await engine.get(runId)) ?? found);
}

async function findRun(
  engine: Engine,
  { trigger, principal }: Admission,
  runId: string,
): Promise<RunRecord | 'run_not_found' | 'forbidden'> {
  const run = await engine.get(runId);
  if (run === undefined || !isOf(run, trigger)) return 'run_not_found';
  return mayUse(principal, run) ? run : 'forbidden';
}

function isOf(run: RunRecord, { project, trigger }: LiveTrigger): boolean {
  return run.project === project.id && run.trigger.toLowerCase() === trigger.key.toLowerCase();
}

function mayUse(principal: Principal, run: RunRecord): boolean {
  return run.principal === principal.id || principal.permissions.has('project.runs');
}

function runReply(snapshot: Snapshot, trigger: LiveTrigger, run: RunRecord): Reply {
  const body = { ...describeRun(run), statusUrl: statusUrl(snapshot, trigger, run.id) };
  return isFinal(run.state) ? { status: 200, body } : { status: 200, body, headers: { 'retry-after': retryAfter } };
}

/** A run as a caller may see it; times are ISO 8601 in UTC. */
function describeRun(run: RunRecord): JsonObject {
  return {
    runId: run.id,
    status: run.state,
    attempt: run.attempt,
    acceptedAt: isoTime(run.acceptedAt),
    ...(run.startedAt !== undefined && { startedAt: isoTime(run.startedAt) }),
    ...(run.finishedAt !== undefined && { finishedAt: isoTime(run.finishedAt) }),
    ...(run.output !== undefined && { output: run.output }),
    ...(run.failure !== undefined && { error: { message: run.failure.message, retryable: run.failure.retryable } }),
  };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
