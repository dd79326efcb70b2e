import type { ServerResponse } from 'node:http';
import { acceptsEventStream, isFinal, type MaybePromise, problem, type Reply } from '../../contract/index.ts';
import type { Engine, RunRecord } from '../../engine/types/index.ts';
import { statusUrl } from '../../runtime/run-address.ts';
import { describeRun } from '../../runtime/run-view.ts';
import { parseDuration } from '../../schema/units.ts';
import type { Call } from '../call.ts';
import { findRun, streamRun } from '../caller-run.ts';
import { methodNotAllowed } from './protocol.ts';

/** How soon a caller should poll a run again that has not ended, in seconds. */
const retryAfter = '2';

/** The longest time that a read waits for the end of the run. Many proxies close a connection after 60 s. */
const longestWaitMs = 60_000;

/**
 * `GET …/run/:runId` returns the state of a run: with `?wait=20s` when it ends (long polling), with
 * `Accept: text/event-stream` as server-sent events. `DELETE` cancels the run and returns its state after that; a run
 * that has ended stays as it is.
 */
export function run(call: Call): MaybePromise<Reply | undefined> {
  return call.route.kind === 'run' ? answerRun(call, call.route.runId) : undefined;
}

async function answerRun(call: Call, runId: string): Promise<Reply> {
  const { method, query, headers } = call.head;
  const { engine } = call.services;
  if (method !== 'GET' && method !== 'DELETE') return methodNotAllowed(call, 'GET, DELETE');
  const waitMs = waitOf(query);
  if (waitMs === undefined) return problem('bad_request', { detail: 'wait must be a duration such as 20s.' });
  // The output of a run may be large, and its reader slow.
  if (method === 'GET' && call.services.memory.isFull) return problem('unavailable', {}, { 'retry-after': retryAfter });
  const found = await findRun(call, runId);
  if (typeof found === 'string') return problem(found);
  if (method === 'DELETE') {
    await engine.cancel(runId);
    return runReply(call, (await engine.get(runId)) ?? found);
  }
  if (acceptsEventStream(headers.accept)) return streamRun(call, runId);
  const isDone = waitMs === 0 || isFinal(found.state);
  return runReply(call, isDone ? found : await waitFor(engine, found, waitMs, call.response));
}

/** How long a read waits, in milliseconds; undefined if `wait` is not a duration. */
function waitOf(query: string): number | undefined {
  if (query === '') return 0;
  const wait = new URLSearchParams(query).get('wait');
  const waitMs = wait === null ? 0 : parseDuration(wait);
  return waitMs && Math.min(waitMs, longestWaitMs);
}

/** The run when it is final, or as it stands when the time is up or the client disconnects. */
async function waitFor(engine: Engine, run: RunRecord, waitMs: number, response: ServerResponse): Promise<RunRecord> {
  // Then `close` has been emitted.
  if (response.destroyed) return run;
  const leaving = new AbortController();
  const leave = (): void => leaving.abort();
  response.once('close', leave);
  try {
    return (await engine.wait(run.id, waitMs, leaving.signal)) ?? run;
  } finally {
    response.off('close', leave);
  }
}

function runReply({ admission }: Call, run: RunRecord): Reply {
  const body = { ...describeRun(run), statusUrl: statusUrl(admission.trigger, run.id) };
  return isFinal(run.state) ? { status: 200, body } : { status: 200, body, headers: { 'retry-after': retryAfter } };
}
