import { sameTrigger } from '../config/trigger-key.ts';
import type { AcceptedRun, Principal, RunView } from '../contract/index.ts';
import type { Engine, RunRecord } from '../engine/types/index.ts';
import { statusUrl } from './run-address.ts';
import type { LiveTrigger } from './snapshot.ts';

/** The part of an engine that reads runs. */
export type RunReader = Pick<Engine, 'get' | 'active' | 'wait' | 'deltas'>;

/** Whether a run was accepted by this trigger. */
export function isRunOf(run: RunRecord, { project, key }: LiveTrigger): boolean {
  return sameTrigger(run, { project: project.id, trigger: key });
}

/**
 * Whether a caller may read and cancel a run: its own, or with the permission `project.runs` any. With a public credential,
 * which is that of many, only a run of the session that it names, or that its token is bound to: another visitor's id of a
 * run is not enough.
 */
export function mayUse(caller: Principal, run: RunRecord, sessionId: string | undefined): boolean {
  if (caller.isPublic) return run.caller === caller.id && isInSession(run, caller.token?.sessionId, sessionId);
  return run.caller === caller.id || caller.permissions.has('project.runs');
}

function isInSession({ sessionId }: RunRecord, bound: string | undefined, named: string | undefined): boolean {
  if (bound !== undefined && named !== undefined && named !== bound) return false;
  return sessionId !== undefined && sessionId === (bound ?? named);
}

/** A run of a trigger that was stored earlier, as the respond stage sees it. */
export function storedRun(engine: RunReader, trigger: LiveTrigger, runId: string): AcceptedRun {
  return readRun(engine, { runId, statusUrl: statusUrl(trigger, runId) });
}

/** A run that was stored earlier; `statusUrl` is where its reader reads it. */
export function readRun(engine: RunReader, ofRun: Pick<AcceptedRun, 'runId' | 'statusUrl'>): AcceptedRun {
  const { runId } = ofRun;
  const active = engine.active(runId);
  // Its record is whole also after the end, when the store may keep less of it: a stream must end with what it streamed.
  if (active !== undefined) {
    return {
      ...ofRun,
      wait: (timeoutMs) => active.wait(timeoutMs),
      deltas: (after, signal) => active.deltas(after, signal),
    };
  }
  return {
    ...ofRun,
    wait: async (timeoutMs) => (await engine.wait(runId, timeoutMs)) ?? forgotten,
    deltas: (after, signal) => engine.deltas(runId, after, signal),
  };
}

/** A run past its retention. */
const forgotten: RunView = {
  state: 'failed',
  output: undefined,
  failure: { message: 'The run is no longer kept.', retryable: false },
  usage: undefined,
};
