import type { Executor, PluginLog, RunOutcome, RunRecord } from '../contract/index.ts';
import type { Live } from './live.ts';

/**
 * Executes runs for the engine with the run plugin of their trigger, under the snapshot that accepted them while it
 * lives, else under the current one. A snapshot is leased until its run has ended.
 */
export function createExecutor(live: Live, log: PluginLog): Executor {
  return (run, signal) => {
    const snapshot = live.ofRevision(run.revision);
    const trigger = snapshot.find(run.project, run.trigger);
    if (trigger === undefined) {
      return { kind: 'failed', message: 'the trigger is no longer declared', retryable: false };
    }
    const startedAt = performance.now();
    snapshot.lease();
    const ended = (outcome: RunOutcome): RunOutcome => {
      snapshot.release();
      logEnd(log, run, outcome, performance.now() - startedAt);
      return outcome;
    };
    const failed = (error: unknown): RunOutcome => {
      log.error({ err: error, runId: run.id, plugin: trigger.config.run.uses }, 'a run plugin threw');
      return ended({ kind: 'failed', message: 'the run plugin failed unexpectedly', retryable: false });
    };
    try {
      const outcome = trigger.run.execute(run, signal);
      return outcome instanceof Promise ? outcome.then(ended, failed) : ended(outcome);
    } catch (error) {
      return failed(error);
    }
  };
}

function logEnd(log: PluginLog, run: RunRecord, outcome: RunOutcome, durationMs: number): void {
  const fields = {
    runId: run.id,
    project: run.project,
    trigger: run.trigger,
    principal: run.principal,
    durationMs: Math.round(durationMs),
  };
  if (outcome.kind === 'succeeded') log.info(fields, 'run succeeded');
  else log.warn({ ...fields, failure: outcome.message }, 'run failed');
}
