import { setTimeout as sleep } from 'node:timers/promises';
import type { FailedRunResult, JsonValue } from '../../../src/contract/index.ts';
import { failed } from '../failed.ts';
import { objectOf } from './memory.ts';
import type { Answered, LangGraphServer } from './server.ts';

/** A run in a thread. */
export interface ThreadRun {
  readonly threadId: string;
  readonly runId: string;
}

/** What the server says of a run that it does not execute any more. */
export type RunEnd =
  /** `waited`: it was still executing the run when it was asked first. */
  | { readonly kind: 'success' | 'interrupted' | 'error'; readonly waited: boolean }
  /** It knows no such run. */
  | { readonly kind: 'unknown' }
  /** It did not say. */
  | { readonly kind: 'failed'; readonly failure: FailedRunResult };

/** How long to wait, at first and at most, before a run is joined again whose end was told too early. Milliseconds. */
const pauseMs = { first: 100, most: 5_000 };

/** Waits for the end of a run. Rejects with an OutboundError, or as soon as `signal` aborts. */
export async function endOf(
  { threadId, runId }: ThreadRun,
  server: LangGraphServer,
  signal: AbortSignal,
): Promise<RunEnd> {
  const path = `/threads/${threadId}/runs/${runId}`;
  for (let joined = 0; ; joined += 1) {
    const told = await server.read({ method: 'GET', path }, signal);
    if (!told.ok) return told.status === 404 ? { kind: 'unknown' } : { kind: 'failed', failure: told.failure };
    const { status } = objectOf(told.value);
    switch (status) {
      case 'success':
      case 'interrupted':
      case 'error':
        return { kind: status, waited: joined > 0 };
      case 'timeout':
        return { kind: 'error', waited: joined > 0 };
      case 'pending':
      case 'running':
        break;
      default:
        return { kind: 'failed', failure: failed('agent told a status of its run that nobody knows') };
    }
    if (joined > 0) await sleep(Math.min(pauseMs.first * 2 ** joined, pauseMs.most), undefined, { signal });
    // What it answers with is not what the run has ended with on all servers: some tell the same event to one reader only.
    const ended = await server.send({ method: 'GET', path: `${path}/join` }, signal);
    if (!ended.ok) return { kind: 'failed', failure: ended.failure };
    await ended.value.discard();
  }
}

/** The state of a thread, in the form in which runs tell it. Rejects as `endOf`. */
export async function stateOf(
  threadId: string,
  server: LangGraphServer,
  signal: AbortSignal,
): Promise<Answered<JsonValue>> {
  const stored = await server.read({ method: 'GET', path: `/threads/${threadId}/state` }, signal);
  if (!stored.ok) return stored;
  const { values = null, tasks } = objectOf(stored.value);
  // A task that has a result has had its answer, though its question is told until all tasks beside it have theirs.
  const unfinished = Array.isArray(tasks) ? tasks.map(objectOf).filter(({ result = null }) => result === null) : [];
  const pending = unfinished.flatMap(({ interrupts = [] }) => interrupts);
  return { ok: true, value: pending.length === 0 ? values : { ...objectOf(values), __interrupt__: pending } };
}
