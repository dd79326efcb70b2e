import type { ServerResponse } from 'node:http';
import { parseDuration } from '../config/units.ts';
import { type Engine, isFinal, type Principal, problem, type Reply, type RunRecord } from '../contract/index.ts';
import type { Admission } from '../runtime/admission.ts';
import { statusUrl } from '../runtime/pipeline.ts';
import { describeRun } from '../runtime/run-view.ts';
import type { LiveTrigger, Snapshot } from '../runtime/snapshot.ts';

/** How soon a caller may ask again for a run that goes on, in seconds. */
const retryAfter = '2';

/** The longest that a caller may have a read wait for the end of the run. Proxies often cut at 60 s. */
const longestWaitMs = 60_000;

export interface RunRequestParts {
  readonly runId: string;
  readonly method: string;
  /** `wait=20s` lets a read wait for the end of the run. */
  readonly query: string;
  readonly response: ServerResponse;
}

/**
 * `GET …/run/:runId` tells how a run stands. `DELETE` cancels it, and tells how it stands then; one that has ended
 * stays as it is.
 */
export async function answerRun(
  engine: Engine,
  snapshot: Snapshot,
  admission: Admission,
  { runId, method, query, response }: RunRequestParts,
): Promise<Reply> {
  if (method !== 'GET' && method !== 'DELETE') return problem('method_not_allowed', {}, { allow: 'GET, DELETE' });
  const waitMs = waitOf(query);
  if (waitMs === undefined) return problem('bad_request', { detail: 'wait must be a duration such as 20s.' });
  const found = await findRun(engine, admission, runId);
  if (typeof found === 'string') return problem(found);
  if (method === 'GET') {
    const run = waitMs === 0 || isFinal(found.state) ? found : await waitFor(engine, found, waitMs, response);
    return runReply(snapshot, admission.trigger, run);
  }
  await engine.cancel(runId);
  return runReply(snapshot, admission.trigger, (await engine.get(runId)) ?? found);
}

/** How long a read may take, in milliseconds; undefined if what is asked is no duration. */
function waitOf(query: string): number | undefined {
  if (query === '') return 0;
  const wait = new URLSearchParams(query).get('wait');
  const waitMs = wait === null ? 0 : parseDuration(wait);
  return waitMs && Math.min(waitMs, longestWaitMs);
}

/** The run when it is final, or as it stands when the time is up or nobody listens any more. */
async function waitFor(engine: Engine, run: RunRecord, waitMs: number, response: ServerResponse): Promise<RunRecord> {
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  response.once('close', leave);
  const waited = await engine.wait(run.id, waitMs, leaving.signal);
  response.off('close', leave);
  return waited ?? run;
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
