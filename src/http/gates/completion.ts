import { sameTrigger } from '../../config/trigger-key.ts';
import {
  type FinalRunResult,
  isFinal,
  type JsonValue,
  type MaybePromise,
  problem,
  type Reply,
  type RunIdentity,
  WorkBudget,
} from '../../contract/index.ts';
import type { RunRecord } from '../../engine/types/index.ts';
import { checkRunResult, isFinalResult } from '../../runtime/attempt/check-run-result.ts';
import type { LiveTrigger } from '../../runtime/snapshot.ts';
import type { RunRoute } from '../address.ts';
import type { Call } from '../call.ts';
import { reasonOfUnread, refusalOf } from '../read-body.ts';
import { methodNotAllowed } from './protocol.ts';

/** How long the answer to a completion waits for the result to be stored, in milliseconds. */
const storedWithinMs = 10_000;

/**
 * `POST …/run/:runId/completion`: an agent reports the end of a detached run. The run plugin authenticates the agent;
 * everybody else gets the same answer, whether there is such a run or not. A 200 means that the result has been stored.
 */
export function completion(call: Call): MaybePromise<Reply | undefined> {
  return call.route.kind === 'completion' ? answerCompletion(call, call.route) : undefined;
}

async function answerCompletion(call: Call, { projectId, key, runId }: RunRoute<'completion'>): Promise<Reply> {
  const { live, engine, completions } = call.services;
  const { method, query, headers } = call.head;
  if (method !== 'POST') return methodNotAllowed(call, 'POST');
  // Before anything depends on the run: neither the answer nor its time may reveal which runs exist.
  const sent = await call.readBody('unknown');
  if (!sent.ok) {
    call.reason = reasonOfUnread(sent.why);
    return sent.why === 'no_memory' ? later : problem(refusalOf(sent.why).code);
  }
  const run = await engine.get(runId);
  if (run === undefined || !sameTrigger(run, { project: projectId, trigger: key })) {
    return refused(
      call,
      run === undefined ? 'no such run, or it is past its retention' : 'the run is one of another trigger',
    );
  }
  const snapshot = live.ofRevision(run.revision);
  const trigger = snapshot.find(run.project, run.trigger);
  if (trigger?.run.complete === undefined) return refused(call, 'the trigger takes no completions');
  snapshot.lease();
  try {
    const completed = await trigger.run.complete({ run: identityOf(run, trigger), query, headers, body: sent.bytes });
    if (completed.kind === 'rejected')
      return refused(call, 'the run plugin did not accept the credential of the agent');
    if (completed.kind === 'invalid') return problem('invalid_body', { detail: completed.message });
    if (isFinal(run.state)) return taken(run);
    const result = checkRunResult(completed.result);
    if (!isFinalResult(result)) return problem('invalid_body', { detail: 'The run plugin returned no final result.' });
    if (!completions.complete(runId, result)) {
      // After a restart, the run may not be waiting for its completion yet.
      if (engine.deliver === undefined) return later;
      // Another node may execute it. If no node does, it has ended, and the wait returns at once.
      await engine.deliver(runId, toJson(result));
    }
    const ended = await engine.wait(runId, storedWithinMs);
    // Not stored yet, or never because the gateway is stopping: the agent must send it again.
    return ended !== undefined && isFinal(ended.state) ? taken(ended) : later;
  } finally {
    snapshot.release();
  }
}

/** The input of a final run may be gone; a completion of it has no effect then. */
function identityOf({ input = nothing, ...run }: RunRecord, { workLimit }: LiveTrigger): RunIdentity {
  const { id, project, trigger, caller, sessionId, conversation, origin, attempt } = run;
  const work = new WorkBudget(workLimit);
  return { id, project, trigger, caller, sessionId, conversation, origin, attempt, input, work };
}

const nothing = { environment: '', language: '' };

/** As another node reads it: members that are undefined are absent. */
function toJson(result: FinalRunResult): JsonValue {
  return JSON.parse(JSON.stringify(result));
}

const unknown: Reply = problem('unauthorized');

/** The same answer for all reasons; the log has them. */
function refused(call: Call, reason: string): Reply {
  call.reason = reason;
  return unknown;
}

const later: Reply = problem('unavailable', {}, { 'retry-after': '1' });

function taken({ id, state }: RunRecord): Reply {
  return { status: 200, body: { runId: id, status: state } };
}
