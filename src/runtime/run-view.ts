import type { JsonObject, RunOrigin } from '../contract/index.ts';
import type { NotificationProgress, RunCost, RunProgress, RunRecord } from '../engine/types/index.ts';

/** A run as its caller reads it. The public API calls the run's state `status`. Times are ISO 8601 in UTC. */
export function describeRun(run: RunRecord): JsonObject {
  return {
    runId: run.id,
    status: run.state,
    attempt: run.attempt,
    acceptedAt: isoTime(run.acceptedAt),
    ...(run.replayOf !== undefined && { replayOf: run.replayOf }),
    ...(run.startsAt !== undefined && run.startedAt === undefined && { startsAt: isoTime(run.startsAt) }),
    ...(run.startedAt !== undefined && { startedAt: isoTime(run.startedAt) }),
    ...(run.finishedAt !== undefined && { finishedAt: isoTime(run.finishedAt) }),
    ...(run.retryAt !== undefined && { retryAt: isoTime(run.retryAt) }),
    ...(run.failedAttempts.length > 0 && {
      failedAttempts: run.failedAttempts.map(({ attempt, startedAt, endedAt, message }) => ({
        ...{ attempt, startedAt: isoTime(startedAt), endedAt: isoTime(endedAt), message },
      })),
    }),
    ...(run.output !== undefined && { output: run.output }),
    ...(run.usage !== undefined && { usage: { ...run.usage } }),
    ...(run.cost !== undefined && { cost: viewOfCost(run.cost) }),
    ...(run.failure !== undefined && { error: { message: run.failure.message, retryable: run.failure.retryable } }),
  };
}

/** A cost as people and programs read it: a decimal number. */
export function viewOfCost({ nanos, currency }: RunCost): { readonly amount: number; readonly currency: string } {
  return { amount: nanos / 1e9, currency };
}

/** A run as an operator sees it in a list, without input and output. */
export function summarizeRun(run: RunRecord): JsonObject {
  const { runId: _runId, status: _status, output: _output, ...view } = describeRun(run);
  const { id, project, trigger, caller, secret, requestId, trace, state } = run;
  return {
    ...{ runId: id, project, trigger, caller },
    ...(secret !== undefined && { secret }),
    ...(requestId !== undefined && { requestId }),
    ...(trace !== undefined && { traceId: trace.traceId }),
    ...{ state, ...view },
    revision: run.revision,
    ...(run.interruptions > 0 && { interruptions: run.interruptions }),
    ...(run.sessionId !== undefined && { sessionId: run.sessionId }),
  };
}

/** Everything that is stored about a run. */
export function detailRun(run: RunRecord): JsonObject {
  return {
    ...summarizeRun(run),
    ...(run.input !== undefined && { input: run.input }),
    ...(run.origin !== undefined && { origin: originOf(run.origin) }),
    ...(run.output !== undefined && { output: run.output }),
    ...detailsOf(run),
  };
}

function originOf({ request, caller, event, body, isEdited }: RunOrigin): JsonObject {
  return { request, caller, event, ...(body !== undefined && { body: { ...body } }), ...(isEdited && { isEdited }) };
}

/** Where a run is beyond what its record says: detached work, and its callback. */
export function viewOfProgress({ hasCheckpoint, notification }: RunProgress): JsonObject {
  return {
    ...(hasCheckpoint && { hasCheckpoint }),
    ...(notification !== undefined && { callback: viewOfNotification(notification) }),
  };
}

function viewOfNotification(notification: NotificationProgress): JsonObject {
  if (notification.kind !== 'due') return { state: notification.kind };
  const { kind: state, attempts, dueAt } = notification;
  return { state, attempts, nextAt: isoTime(dueAt) };
}

/** What agents said of failures. */
function detailsOf({ failedAttempts, failure, failureDetail }: RunRecord): JsonObject {
  const details = failedAttempts.flatMap(({ attempt, detail }) => (detail === undefined ? [] : [{ attempt, detail }]));
  return {
    ...(details.length > 0 && { failedAttemptDetails: details }),
    ...(failure !== undefined && failureDetail !== undefined && { errorDetail: failureDetail }),
  };
}

function isoTime(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
