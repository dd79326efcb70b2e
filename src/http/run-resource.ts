import type { ServerResponse } from 'node:http';
import { acceptsEventStream, isFinal, problem, type Reply, type RequestHead } from '../contract/index.ts';
import type { Engine, RunRecord } from '../engine/types/index.ts';
import type { Admission } from '../runtime/admission.ts';
import { statusUrl } from '../runtime/pipeline.ts';
import { describeRun } from '../runtime/run-view.ts';
import type { LiveTrigger, Snapshot } from '../runtime/snapshot.ts';
import { isRunOf, mayUse, storedRun } from '../runtime/stored-run.ts';
import { parseDuration } from '../schema/units.ts';
import { eventStream, parseEventId } from './event-stream.ts';

/** How soon a caller may ask again for a run that goes on, in seconds. */
const retryAfter = '2';

/** The longest that a caller may have a read wait for the end of the run. Proxies often cut at 60 s. */
const longestWaitMs = 60_000;

/** How long a stream of a run's events stays open that was asked for by its address; its client may come back. */
const longestStreamMs = 3_600_000;

export interface RunRequestParts {
  readonly runId: string;
  /** `wait=20s` in its query lets a read wait for the end of the run; by `Accept` it is told as server-sent events. */
  readonly head: RequestHead;
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
  { runId, head, response }: RunRequestParts,
): Promise<Reply> {
  const { method, query, headers } = head;
  if (method !== 'GET' && method !== 'DELETE') return problem('method_not_allowed', {}, { allow: 'GET, DELETE' });
  const waitMs = waitOf(query);
  if (waitMs === undefined) return problem('bad_request', { detail: 'wait must be a duration such as 20s.' });
  const found = await findRun(engine, admission, runId);
  if (typeof found === 'string') return problem(found);
  if (method === 'GET' && acceptsEventStream(headers.accept)) {
    return streamOf(engine, snapshot, admission.trigger, runId, headers);
  }
  if (method === 'GET') {
    const run = waitMs === 0 || isFinal(found.state) ? found : await waitFor(engine, found, waitMs, response);
    return runReply(snapshot, admission.trigger, run);
  }
  await engine.cancel(runId);
  return runReply(snapshot, admission.trigger, (await engine.get(runId)) ?? found);
}

/**
 * What a request gets that comes back for the events of a run that it fired: an EventSource that can POST repeats its
 * request, and must fire nothing again. Undefined if it is no such request.
 */
export async function resumedStream(
  engine: Engine,
  snapshot: Snapshot,
  admission: Admission,
  { headers }: RequestHead,
): Promise<Reply | undefined> {
  const lastEventId = headers['last-event-id'];
  if (typeof lastEventId !== 'string') return undefined;
  const last = parseEventId(lastEventId);
  const found = last && (await findRun(engine, admission, last.runId));
  if (last === undefined || typeof found !== 'object') return undefined;
  return streamOf(engine, snapshot, admission.trigger, last.runId, headers);
}

function streamOf(
  engine: Engine,
  snapshot: Snapshot,
  trigger: LiveTrigger,
  runId: string,
  headers: RequestHead['headers'],
): Reply {
  const lastEventId = headers['last-event-id'];
  return eventStream({
    run: storedRun(engine, runId, statusUrl(snapshot, trigger, runId)),
    timeoutMs: longestStreamMs,
    lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined,
  });
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
  if (run === undefined || !isRunOf(run, trigger)) return 'run_not_found';
  return mayUse(principal, run) ? run : 'forbidden';
}

function runReply(snapshot: Snapshot, trigger: LiveTrigger, run: RunRecord): Reply {
  const body = { ...describeRun(run), statusUrl: statusUrl(snapshot, trigger, run.id) };
  return isFinal(run.state) ? { status: 200, body } : { status: 200, body, headers: { 'retry-after': retryAfter } };
}
