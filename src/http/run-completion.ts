import { isFinal, problem, type Reply, type RequestHead, type RunIdentity } from '../contract/index.ts';
import type { Engine, RunRecord } from '../engine/types/index.ts';
import type { Completions } from '../runtime/attempt/completions.ts';
import type { Live } from '../runtime/live.ts';
import type { RunRoute } from './route.ts';

/** How long the answer to a completion waits until what was delivered is stored, in milliseconds. */
const storedWithinMs = 10_000;

export interface CompletionParts {
  readonly live: Live;
  readonly engine: Engine;
  readonly completions: Completions;
}

/**
 * `POST …/run/:runId/completion`: an agent that works on by itself tells how the run ended. Its plugin knows whether it is
 * the agent; all others are answered alike, whatever is there. Told 200, it is stored.
 */
export async function answerCompletion(
  { live, engine, completions }: CompletionParts,
  head: RequestHead,
  { projectId, key, runId }: RunRoute<'completion'>,
  readBody: () => Promise<Uint8Array | undefined>,
): Promise<Reply> {
  if (head.method !== 'POST') return problem('method_not_allowed', {}, { allow: 'POST' });
  const run = await engine.get(runId);
  if (run === undefined || run.project !== projectId || run.trigger.toLowerCase() !== key.toLowerCase()) return unknown;
  const snapshot = live.ofRevision(run.revision);
  const plugin = snapshot.find(run.project, run.trigger)?.run;
  if (plugin?.complete === undefined) return unknown;
  snapshot.lease();
  try {
    const body = await readBody();
    if (body === undefined) return problem('body_too_large');
    const completion = await plugin.complete({ run: identityOf(run), query: head.query, headers: head.headers, body });
    if (completion.kind === 'rejected') return unknown;
    if (completion.kind === 'invalid') return problem('invalid_body', { detail: completion.message });
    if (isFinal(run.state)) return taken(run);
    // A run that has just been taken up after a restart is about to wait for it.
    if (!completions.complete(runId, completion.result)) return later;
    const ended = await engine.wait(runId, storedWithinMs);
    // Not stored yet, or, since the gateway stops, perhaps never: the agent is to say it again.
    return ended !== undefined && isFinal(ended.state) ? taken(ended) : later;
  } finally {
    snapshot.release();
  }
}

/** Of a run that is final, the input may be gone: then what is delivered means nothing any more. */
function identityOf({ id, project, trigger, sessionId, attempt, input = nothing }: RunRecord): RunIdentity {
  return { id, project, trigger, sessionId, attempt, input };
}

const nothing = { environment: '', language: '' };

const unknown: Reply = problem('unauthorized');
const later: Reply = problem('unavailable', {}, { 'retry-after': '1' });

function taken({ id, state }: RunRecord): Reply {
  return { status: 200, body: { runId: id, status: state } };
}
