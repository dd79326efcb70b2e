import type { MaybePromise, Reply } from '../../contract/index.ts';
import type { Call } from '../call.ts';
import { findRun, streamRun } from '../caller-run.ts';
import { parseEventId } from '../event-stream.ts';

/** An EventSource that can POST repeats its request when it reconnects. If it names no run of its own, it fires anew. */
export function resume(call: Call): MaybePromise<Reply | undefined> {
  const lastEventId = call.head.headers['last-event-id'];
  return typeof lastEventId === 'string' && lastEventId !== '' ? resumed(call, lastEventId) : undefined;
}

async function resumed(call: Call, lastEventId: string): Promise<Reply | undefined> {
  const last = parseEventId(lastEventId);
  if (last === undefined) return undefined;
  const found = await findRun(call, last.runId);
  return typeof found === 'string' ? undefined : streamRun(call, last.runId);
}
