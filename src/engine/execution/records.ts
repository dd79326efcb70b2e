import type { NewRun, RunPolicy, RunRecord } from '../types/index.ts';

/** The record of a run that was just submitted. */
export function queuedRecord(run: NewRun): RunRecord {
  const { id, project, trigger, revision, caller, sessionId, conversation, replayOf, input, origin, acceptedAt } = run;
  const { secret, requestId, trace, concurrencyValue, startsAt } = run;
  return {
    ...{
      id,
      project,
      trigger,
      revision,
      caller,
      secret,
      requestId,
      sessionId,
      conversation,
      replayOf,
      input,
      origin,
      acceptedAt,
    },
    ...(trace !== undefined && { trace }),
    ...(concurrencyValue !== undefined && { concurrencyValue }),
    ...(startsAt !== undefined && { startsAt }),
    state: 'queued',
    attempt: 0,
    startedAt: undefined,
    finishedAt: undefined,
    retryAt: undefined,
    failedAttempts: [],
    interruptions: 0,
    output: undefined,
    failure: undefined,
    failureDetail: undefined,
    usage: undefined,
    cost: undefined,
  };
}

/** The record of a run that waits, with what another run of its burst brings. It was accepted when the first was. */
export function replacedRecord(record: RunRecord, run: NewRun): RunRecord {
  const { revision, secret, requestId, trace, replayOf, input, origin } = run;
  return { ...record, revision, secret, requestId, trace, replayOf, input, origin };
}

/** The part of a final run's record that its policy keeps; undefined: nothing. */
export function keptRecord(record: RunRecord, keep: RunPolicy['keep']): RunRecord | undefined {
  if (keep === 'none') return undefined;
  if (keep === 'full') return record;
  const { concurrencyValue: _value, ...kept } = record;
  return { ...kept, input: undefined, origin: undefined, output: undefined };
}

/** The record without what may be long. */
export function briefRecord(record: RunRecord): RunRecord {
  return { ...record, input: undefined, origin: undefined, output: undefined, failureDetail: undefined };
}
