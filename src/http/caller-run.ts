import type { EventsReply, RequestHead } from '../contract/index.ts';
import type { RunRecord } from '../engine/types/index.ts';
import { isRunOf, mayUse, storedRun } from '../runtime/stored-run.ts';
import type { Call } from './call.ts';

/** How long the event stream of a run stays open that was opened at the run's address; its client may reconnect. */
const longestStreamMs = 3_600_000;

/** A run of the requested trigger that the caller may read and cancel, or the code of the problem. */
export async function findRun(call: Call, runId: string): Promise<RunRecord | 'run_not_found' | 'forbidden'> {
  const { services, head, admission } = call;
  const { trigger, principal } = admission;
  const run = await services.engine.get(runId);
  if (run === undefined || !isRunOf(run, trigger)) {
    call.reason = run === undefined ? 'no such run, or it is past its retention' : 'the run is one of another trigger';
    return 'run_not_found';
  }
  if (mayUse(principal, run, sessionIn(head))) return run;
  call.reason = 'the run is one of another caller or session';
  return 'forbidden';
}

/** The session that a request to a run names: percent-encoded in a header, or in the query of clients that set none. */
function sessionIn({ headers, query }: RequestHead): string | undefined {
  const header = headers['x-session-id'];
  if (typeof header === 'string') return decoded(header);
  return (query !== '' && new URLSearchParams(query).get('sessionId')) || undefined;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Streams a run as server-sent events; a client that reconnects continues where its last event ended. */
export function streamRun({ services, admission, head }: Call, runId: string): EventsReply {
  const run = storedRun(services.engine, admission.trigger, runId);
  const lastEventId = head.headers['last-event-id'];
  const from = typeof lastEventId === 'string' ? { lastEventId } : {};
  return { events: { run, timeoutMs: longestStreamMs, ...from } };
}
