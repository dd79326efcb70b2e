import type { RunDocument } from '../../../../src/runtime/run-document.gen.ts';

/** A part of a run's time, in the order in which they happened. Times are milliseconds since the epoch. */
export interface Step {
  readonly kind: 'wait' | 'attempt' | 'deltas' | 'pause' | 'end' | 'callback';
  readonly title: string;
  /** A state, shown as a badge. */
  readonly state?: string;
  readonly from: number;
  /** Undefined: it has not ended. Equal to `from`: a point in time. */
  readonly to: number | undefined;
  /** What went wrong. */
  readonly message?: string;
  /** What the agent said of that. */
  readonly detail?: string;
  readonly note?: string;
}

/** What this page has heard the agent say: the gateway stores no deltas. */
export interface Heard {
  readonly attempt: number;
  readonly characters: number;
  /** By the clock of this page. */
  readonly from: number;
  readonly to: number;
}

/** What has happened to a run, and what is expected. */
export function timelineOf(run: RunDocument, heard?: Heard): readonly Step[] {
  const failed = run.failedAttempts ?? [];
  const accepted = Date.parse(run.acceptedAt);
  const ended = run.finishedAt === undefined ? undefined : Date.parse(run.finishedAt);
  const started = run.startedAt === undefined ? undefined : Date.parse(run.startedAt);
  // After a failed attempt, `startedAt` is still its own until the next one begins.
  const isLastShown = run.attempt > failed.length && started !== undefined;
  const starts = [...failed.map(({ startedAt }) => Date.parse(startedAt)), ...(isLastShown ? [started] : [])];
  const steps: Step[] = [
    {
      ...{ kind: 'wait', title: 'Queue', from: accepted, to: starts[0] ?? ended },
      ...(run.startsAt !== undefined && { note: `starts at ${run.startsAt} at the earliest` }),
    },
  ];
  for (const [index, { attempt, startedAt, endedAt, message }] of failed.entries()) {
    const detail = run.failedAttemptDetails?.find((one) => one.attempt === attempt)?.detail;
    const failedAt = Date.parse(endedAt);
    steps.push({
      ...{ kind: 'attempt', title: `Attempt ${attempt}`, state: 'failed', message },
      ...{ from: Date.parse(startedAt), to: failedAt },
      ...(detail !== undefined && { detail }),
    });
    steps.push(...deltaSteps(heard, attempt, Date.parse(startedAt), failedAt));
    const isNext = index === failed.length - 1;
    steps.push({
      ...{ kind: 'pause', title: 'Pause before the retry', from: failedAt, to: starts[index + 1] ?? ended },
      ...(isNext && run.retryAt !== undefined && { note: `next attempt at ${run.retryAt}` }),
    });
  }
  if (isLastShown) {
    steps.push(lastAttempt(run, started, ended), ...deltaSteps(heard, run.attempt, started, ended));
  }
  if (ended !== undefined) steps.push({ kind: 'end', title: 'Completion', state: run.state, from: ended, to: ended });
  return [...steps, ...callbackSteps(run, ended)];
}

function lastAttempt(run: RunDocument, from: number, to: number | undefined): Step {
  const { attempt, state, error, errorDetail, hasCheckpoint } = run;
  return {
    ...{ kind: 'attempt', title: `Attempt ${attempt}`, state, from, to },
    ...(error !== undefined && { message: error.message }),
    ...(errorDetail !== undefined && { detail: errorDetail }),
    ...(hasCheckpoint && { note: 'the work continues in the agent, and survives a restart of the gateway' }),
  };
}

/** The clock of this page may be another one than that of the gateway: what was heard lies within its attempt. */
function deltaSteps(heard: Heard | undefined, attempt: number, from: number, to = Infinity): readonly Step[] {
  if (heard?.attempt !== attempt) return [];
  const within = (time: number): number => Math.min(Math.max(time, from), to);
  const note = `${heard.characters.toLocaleString('en-US')} characters heard by this page`;
  return [{ kind: 'deltas', title: 'Deltas', from: within(heard.from), to: within(heard.to), note }];
}

function callbackSteps({ callback }: RunDocument, ended: number | undefined): readonly Step[] {
  if (callback === undefined || ended === undefined) return [];
  const { state, attempts = 0, nextAt } = callback;
  if (state === 'settled') {
    const note = 'delivered, or given up: the log of the gateway says which';
    return [{ kind: 'callback', title: 'Callback', state: 'settled', from: ended, to: ended, note }];
  }
  const sent =
    attempts === 0 ? 'not sent yet' : `${attempts} ${attempts === 1 ? 'attempt has' : 'attempts have'} failed`;
  const next = nextAt === undefined ? '' : `; next attempt at ${nextAt}`;
  return [
    { kind: 'callback', title: 'Callback', state: 'pending', from: ended, to: undefined, note: `${sent}${next}` },
  ];
}
