import type { FastifyReply } from 'fastify';
import { type Engine, isFinal, type JsonObject, type Principal, type RunRecord } from '../contract/index.ts';
import { statusUrl } from '../runtime/pipeline.ts';
import type { LiveTrigger, Snapshot } from '../runtime/snapshot.ts';
import type { Admission } from './admission.ts';
import { sendProblem, sendReply } from './reply.ts';

/** How soon a caller may ask again for a run that goes on, in seconds. */
const retryAfter = '2';

/** `GET …/run/:runId` */
export async function readRun(
  engine: Engine,
  snapshot: Snapshot,
  admission: Admission,
  runId: string,
  requestId: string,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const run = await findRun(engine, admission, runId);
  if (typeof run === 'string') return sendProblem(reply, requestId, run);
  return sendRun(snapshot, admission.trigger, run, requestId, reply);
}

/** `DELETE …/run/:runId`: cancels it, and tells how the run stands then; one that has ended stays as it is. */
export async function cancelRun(
  engine: Engine,
  snapshot: Snapshot,
  admission: Admission,
  runId: string,
  requestId: string,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const found = await findRun(engine, admission, runId);
  if (typeof found === 'string') return sendProblem(reply, requestId, found);
  await engine.cancel(runId);
  const run = (await engine.get(runId)) ?? found;
  return sendRun(snapshot, admission.trigger, run, requestId, reply);
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

function sendRun(
  snapshot: Snapshot,
  trigger: LiveTrigger,
  run: RunRecord,
  requestId: string,
  reply: FastifyReply,
): FastifyReply {
  const headers = isFinal(run.state) ? undefined : { 'retry-after': retryAfter };
  const body = { ...describeRun(run), statusUrl: statusUrl(snapshot, trigger, run.id) };
  return sendReply(reply, requestId, { status: 200, body, ...(headers && { headers }) });
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
