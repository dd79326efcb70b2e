import {
  type FinalRunResult,
  type JsonObject,
  type ObservedGateway,
  type PluginLog,
  type Run,
  type RunOrigin,
  type RunRequest,
  WorkBudget,
} from '../../contract/index.ts';
import { tokensOf } from '../../engine/limits/ledger.ts';
import {
  AttemptReleased,
  type EngineAttempt,
  type Executor,
  type RunOutcome,
  type RunRecord,
} from '../../engine/types/index.ts';
import { secretsOf } from '../../host/instance-secrets.ts';
import { type CallbackOptions, sendCallback } from '../callback.ts';
import type { Expectations } from '../limits/expectations.ts';
import type { Live } from '../live.ts';
import { KeyWatch } from '../nodes/key-watch.ts';
import { servedConfig } from '../nodes/this-node.ts';
import { publishEnd } from '../observed-engine.ts';
import { parseLexically } from '../recording/lexical-json.ts';
import { completionUrl } from '../run-address.ts';
import type { Snapshot } from '../snapshot.ts';
import type { Spending } from '../spending.ts';
import { headersOf, type Tracer } from '../tracing/tracer.ts';
import { isThenable } from '../when-ready.ts';
import { checkRunResult, isFinalResult } from './check-run-result.ts';
import type { Completions } from './completions.ts';
import { executeAttempt } from './execute-attempt.ts';
import { failureDetail } from './failure-detail.ts';
import { type CutShort, ObservedAttempt } from './observed-attempt.ts';
import { outcomeOf } from './retry.ts';
import type { StopHandlers } from './stop-handlers.ts';

/** How long an attempt may take where neither `run.timeout` nor the plugin says: 7 days, in milliseconds. */
const defaultTimeoutMs = 7 * 86_400_000;

export interface ExecutorParts {
  /** As its messages name it. */
  readonly gateway: ObservedGateway;
  readonly live: Live;
  readonly log: PluginLog;
  readonly callbacks: CallbackOptions;
  readonly completions: Completions;
  readonly stopHandlers: StopHandlers;
  /** Learns what runs consume. */
  readonly expectations?: Expectations;
  readonly spending: Spending;
  readonly tracer: Tracer;
}

/**
 * Executes runs for the engine with the run plugin of their trigger, under the snapshot that accepted them while it
 * lives, else under the current one. A snapshot is leased until the attempt has ended.
 */
export function createExecutor({
  gateway,
  live,
  log,
  callbacks,
  completions,
  stopHandlers,
  expectations,
  spending,
  tracer,
}: ExecutorParts): Executor {
  const keys = new KeyWatch(log);
  const withCost = (outcome: RunOutcome, run: RunRecord, { prices }: Snapshot): RunOutcome => {
    const { usage } = outcome;
    if (usage === undefined) return outcome;
    const cost = spending.costOf(run, usage, prices);
    spending.count(run, usage, cost);
    return cost === undefined ? outcome : { ...outcome, cost };
  };
  return {
    execute(run, started) {
      const snapshot = live.ofRevision(run.revision);
      const trigger = snapshot.find(run.project, run.trigger);
      if (trigger === undefined) {
        return { kind: 'failed', message: 'the trigger is no longer declared', retryable: false };
      }
      const { uses, timeoutMs = trigger.run.timeoutMs ?? defaultTimeoutMs, retry } = trigger.config.run;
      const trace = tracer.ofRun(run);
      const observed = new ObservedAttempt(gateway, run, uses, trace);
      snapshot.lease();
      const ended = (result: FinalRunResult): RunOutcome => {
        snapshot.release();
        const outcome = outcomeOf(withoutSecrets(result, trigger.run), run.attempt, retry);
        const cut = cutShort(started);
        const priced = cut === undefined ? withCost(outcome, run, snapshot) : outcome;
        if (priced.kind !== 'retry') note(expectations, trigger.id, [run, priced]);
        observed.ended(cut ?? priced);
        return priced;
      };
      const failed = (error: unknown): RunOutcome => {
        log.error({ err: error, ...namesOf(run), plugin: uses }, 'a run plugin threw');
        return ended({ kind: 'failed', message: 'the run plugin failed unexpectedly', retryable: false });
      };
      const { id, project, caller, requestId, input, origin, attempt, sessionId, conversation } = run;
      const request: RunRequest = {
        id,
        project,
        trigger: run.trigger,
        caller,
        requestId,
        sessionId,
        conversation,
        input,
        exactInput: exactInputOf(origin),
        origin,
        attempt,
        trace: headersOf(trace),
        work: new WorkBudget(trigger.workLimit),
        session: started.session,
        completionUrl: completionUrl(trigger, id),
      };
      try {
        const onEvent = () => observed.streamed();
        const parts = { uses, timeoutMs, completions, log, stopHandlers, onEvent };
        const result = executeAttempt(trigger.run, request, started, parts);
        return isThenable(result) ? result.then(ended, failed) : ended(result);
      } catch (error) {
        return failed(error);
      }
    },
    notify(run, attempt, signal) {
      // Where the receiver has changed since the run was accepted, the new one is called.
      const target = live.current.find(run.project, run.trigger)?.callback;
      return target && sendCallback(run, target, attempt, signal, callbacks);
    },
    ended: (run) => publishEnd(gateway, run),
    circuitOf: (project, trigger) => live.current.find(project, trigger)?.config.run.circuit,
    concurrencyOf: (project, trigger) => live.current.find(project, trigger)?.concurrency,
    describe: () => servedConfig(live.current),
    // A paused trigger too: it accepts nothing new, and what it has accepted is executed.
    serves: (project, trigger) => live.current.find(project, trigger) !== undefined,
    complete(runId, completion) {
      // Another node of another version may have stored it.
      const result = checkRunResult(completion);
      return isFinalResult(result) && completions.complete(runId, result);
    },
    onNodes: (nodes) => keys.look(nodes, live.current.keyDigest),
  };
}

/** Of a run that reports no usage, nothing is learned. */
function note(
  expectations: Expectations | undefined,
  trigger: string,
  [earlier, last]: readonly [RunRecord, RunOutcome],
): void {
  if (expectations === undefined || (earlier.usage ?? last.usage) === undefined) return;
  const used = ({ usage }: RunRecord | RunOutcome) => (usage === undefined ? 0 : tokensOf(usage));
  const cost = (earlier.cost?.nanos ?? 0) + (last.cost?.nanos ?? 0);
  expectations.note(trigger, { tokens: used(earlier) + used(last), cost });
}

/** Where a number of the input is not the one that was sent. Only what passes the input on as JSON needs it. */
function exactInputOf(origin: RunOrigin | undefined): JsonObject | undefined {
  const text = origin?.body?.text;
  return text === undefined ? undefined : (parseLexically(text) as JsonObject);
}

function withoutSecrets(result: FinalRunResult, plugin: Run): FinalRunResult {
  if (result.kind !== 'failed' || result.detail === undefined) return result;
  return { ...result, detail: failureDetail(result.detail, secretsOf(plugin)) };
}

/** Why the engine drops the outcome of an attempt, whatever its plugin made of that. */
function cutShort({ signal }: EngineAttempt): CutShort | undefined {
  if (!signal.aborted) return undefined;
  return { kind: AttemptReleased.is(signal.reason) ? 'released' : 'cancelled' };
}

/** What each line of the log about a run is found by. */
function namesOf({ id, requestId }: Pick<RunRecord, 'id' | 'requestId'>): JsonObject {
  return { runId: id, ...(requestId !== undefined && { requestId }) };
}
