import type { AgentCall, History, Promises } from './history.ts';

/** Each promise that was broken, with a line for each time. */
export type Violations = Readonly<Record<ViolationKind, readonly string[]>>;

export type ViolationKind =
  /** Acknowledged, and nobody knows it. */
  | 'lost'
  /** Acknowledged, and another node did not know it a moment later. */
  | 'unknownElsewhere'
  | 'unfinished'
  | 'notSucceeded'
  /** Succeeded, and the agent never answered it. */
  | 'neverExecuted'
  /** Executed twice at the same time by live nodes. */
  | 'runTwiceAtOnce'
  | 'attemptRepeated'
  /** The output of an attempt that was not the last: the fence did not hold. */
  | 'staleOutput'
  /** One body became several runs. */
  | 'duplicateAccepted'
  | 'sessionTwiceAtOnce'
  | 'sessionOutOfOrder'
  | 'concurrencyExceeded'
  | 'limitExceeded'
  | 'nodeDied'
  | 'unexpectedAnswer';

/** How exact the times are: that a connection has closed is seen a moment after whatever closed it, so overlaps are cut by this. */
const toleranceMs = 25;
/** What a process needs to notice that it was paused. */
const wakeMs = 500;

/** Finds out which promises were broken. */
export function findViolations(history: History, promises: Promises): Violations {
  const { calls, final, answers } = history;
  const pieces = livePieces(history, promises.harmlessPauseMs);
  const awake = calls.filter((call) => !isPausedAt(history, promises.harmlessPauseMs, call.node, call.startedAt));
  const acknowledged = new Set(answers.map(({ runId }) => runId));
  const answered = new Set(calls.filter(({ isAnswered }) => isAnswered).map(({ runId }) => runId));
  const withStatus = (is: (status: string | undefined) => boolean) =>
    [...final].filter(([, { status }]) => is(status)).map(([id, { status }]) => `${id} ${status}`);
  return {
    lost: [...acknowledged].filter((id) => final.get(id)?.status === undefined),
    unknownElsewhere: history.unknown,
    unfinished: withStatus((status) => status === 'queued' || status === 'running'),
    notSucceeded: withStatus((status) => status === 'failed' || status === 'cancelled'),
    neverExecuted: [...final]
      .filter(([id, { status }]) => status === 'succeeded' && !answered.has(id))
      .map(([id]) => id),
    runTwiceAtOnce: overlaps(groupBy(pieces, ({ call }) => call.runId)),
    attemptRepeated: [...groupBy(calls, ({ runId, attempt }) => `${runId} attempt ${attempt}`)]
      .filter(([, list]) => list.length > 1)
      .map(([name]) => name),
    staleOutput: [...final]
      .filter(([, run]) => run.outputAttempt !== undefined && run.outputAttempt !== run.attempt)
      .map(([id, run]) => `${id} has the output of attempt ${run.outputAttempt} of ${run.attempt}`),
    duplicateAccepted: duplicates(history),
    sessionTwiceAtOnce: overlaps(
      groupBy(pieces, ({ call }) => call.session),
      (one, other) => one.runId !== other.runId,
    ),
    sessionOutOfOrder: outOfOrder(awake),
    concurrencyExceeded: [...promises.concurrency].flatMap(([trigger, limit]) =>
      tooMany(
        pieces.filter(({ call }) => call.trigger === trigger),
        limit,
      ),
    ),
    limitExceeded: [...promises.runs].flatMap(([trigger, limit]) => {
      const runs = new Set([...answers, ...calls].filter((one) => one.trigger === trigger).map(({ runId }) => runId));
      return runs.size > limit ? [`${trigger}: ${runs.size} of ${limit}`] : [];
    }),
    nodeDied: history.deaths,
    unexpectedAnswer: history.unexpected,
  };
}

/** A part of a call during which its node was alive. */
interface Piece {
  readonly call: AgentCall;
  readonly from: number;
  readonly to: number;
}

/** A node that was paused for longer than its lease could not know what became of its runs. */
function livePieces({ calls, pauses }: History, harmlessPauseMs: number): readonly Piece[] {
  const deaf = groupBy(
    pauses.filter(({ from, to }) => to - from > harmlessPauseMs),
    ({ node }) => node,
  );
  return calls.flatMap((call) => {
    let { startedAt: from } = call;
    const pieces: Piece[] = [];
    for (const pause of (deaf.get(call.node) ?? []).toSorted((one, other) => one.from - other.from)) {
      pieces.push({ call, from, to: Math.min(call.endedAt, pause.from) });
      from = Math.max(from, pause.to + wakeMs);
    }
    pieces.push({ call, from, to: call.endedAt });
    return pieces.map((piece) => ({ ...piece, to: piece.to - toleranceMs })).filter((piece) => piece.to > piece.from);
  });
}

function isPausedAt({ pauses }: History, harmlessPauseMs: number, node: string, at: number): boolean {
  return pauses.some(
    (pause) =>
      pause.node === node && pause.to - pause.from > harmlessPauseMs && pause.from <= at && at <= pause.to + wakeMs,
  );
}

/** Pairs of a group that were under way at the same time. */
function overlaps(
  groups: ReadonlyMap<string, readonly Piece[]>,
  counts: (one: AgentCall, other: AgentCall) => boolean = () => true,
): readonly string[] {
  return [...groups].flatMap(([name, group]) => {
    const ordered = group.toSorted((one, other) => one.from - other.from);
    return ordered.flatMap((one, index) =>
      ordered
        .slice(index + 1)
        .filter((other) => other.from < one.to && other.call !== one.call && counts(one.call, other.call))
        .map((other) => {
          const ms = Math.round(Math.min(one.to, other.to) - other.from + toleranceMs);
          return `${name}: ${describe(one.call)} and ${describe(other.call)}, for ${ms} ms`;
        }),
    );
  });
}

function tooMany(pieces: readonly Piece[], limit: number): readonly string[] {
  const ordered = pieces.toSorted((one, other) => one.from - other.from);
  let running: Piece[] = [];
  return ordered.flatMap((piece) => {
    running = running.filter(({ to }) => to > piece.from);
    running.push(piece);
    return running.length > limit
      ? [`${piece.call.trigger}: ${running.length} of ${limit} at once (${running.map(({ call }) => describe(call))})`]
      : [];
  });
}

/** A run of a session that began after a later one of it. */
function outOfOrder(calls: readonly AgentCall[]): readonly string[] {
  const latest = new Map<string, AgentCall>();
  return calls
    .toSorted((one, other) => one.startedAt - other.startedAt)
    .flatMap((call) => {
      if (call.session === undefined) return [];
      const last = latest.get(call.session);
      if (last !== undefined && last.number > call.number)
        return [`${call.session}: ${describe(call)} after ${describe(last)}`];
      latest.set(call.session, call);
      return [];
    });
}

/** A run that failed releases its claim: a second one of its body is right then. */
function duplicates({ calls, answers, final }: History): readonly string[] {
  return [...groupBy([...answers, ...calls], ({ trigger, number }) => `${trigger} ${number}`)].flatMap(
    ([name, list]) => {
      const ids = [...new Set(list.map(({ runId }) => runId))];
      const holding = ids.filter((id) => !['failed', 'cancelled'].includes(final.get(id)?.status ?? ''));
      return holding.length > 1 ? [`${name}: ${holding.join(', ')}`] : [];
    },
  );
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string | undefined): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}

function describe({ trigger, number, attempt, node }: AgentCall): string {
  return `${trigger} ${number} attempt ${attempt} at ${node}`;
}
