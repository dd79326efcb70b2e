import {
  type AcceptedRun,
  type BodyReply,
  type JsonObject,
  type ProblemReply,
  problem,
  type RunDelta,
  type RunEvents,
  type RunPosition,
  type RunView,
  type StreamReply,
} from '../contract/index.ts';
import { viewOfCost } from '../runtime/run-view.ts';
import { within } from '../runtime/within.ts';

/** How often an idle stream sends a heartbeat, in milliseconds: proxies close connections that are idle for about a minute. */
const heartbeatMs = 15_000;

/** How soon a client that lost its connection should reconnect, in milliseconds. */
const reconnectMs = 2_000;

/**
 * Renders a run as server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): `accepted`,
 * `delta` for each piece of the output, `message` with the whole output and `done`; or `error`, with the members of the
 * problem that another caller would receive. Ids let a client that reconnects resume.
 */
export function eventStream({ run, timeoutMs, lastEventId }: RunEvents): BodyReply | StreamReply {
  const last = lastEventId === undefined ? undefined : parseEventId(lastEventId);
  // By the standard, 204 makes an EventSource stop reconnecting.
  if (last?.runId === run.runId && last.position === 'end') return { status: 204 };
  const after = last?.runId === run.runId && last.position !== 'end' ? last.position : undefined;
  return {
    status: 200,
    headers: { 'content-type': 'text/event-stream; charset=utf-8' },
    stream: {
      [Symbol.asyncIterator]() {
        const leaving = new AbortController();
        const inner = events(run, timeoutMs, after, leaving.signal);
        return {
          next: () => inner.next(),
          return() {
            // Otherwise it would end only with the next event or heartbeat.
            leaving.abort();
            return inner.return(undefined);
          },
        };
      },
    },
  };
}

/** The run and position that the id of an event stands for; undefined if the text is not such an id. */
export function parseEventId(id: string): { runId: string; position: RunPosition | 'end' } | undefined {
  const [, runId, end, attempt, offset] = /^([0-9a-f-]{36})\.(?:(end)|([0-9]{1,9})\.([0-9]{1,15}))$/.exec(id) ?? [];
  if (runId === undefined) return undefined;
  return { runId, position: end ? 'end' : { attempt: Number(attempt), offset: Number(offset) } };
}

async function* events(
  run: AcceptedRun,
  timeoutMs: number,
  after: RunPosition | undefined,
  leaving: AbortSignal,
): AsyncGenerator<string> {
  const { runId, statusUrl } = run;
  const following = new AbortController();
  const stop = (): void => following.abort();
  leaving.addEventListener('abort', stop, { once: true });
  const deltas = run.deltas(after, following.signal)[Symbol.asyncIterator]();
  const endsAt = performance.now() + timeoutMs;
  let isTimeUp = false;
  try {
    const { attempt, offset } = after ?? { attempt: 0, offset: 0 };
    const { state } = await run.wait(0);
    yield `retry: ${reconnectMs}\n${event('accepted', `${attempt}.${offset}`, { runId, status: state, statusUrl })}`;
    for (let next = deltas.next(); ; ) {
      const leftMs = endsAt - performance.now();
      const arrived = await within(Math.min(heartbeatMs, leftMs), next);
      if (arrived === undefined) {
        // Not by the clock: a timer may fire slightly early.
        isTimeUp = leftMs <= heartbeatMs;
        if (isTimeUp) break;
        yield ': still running\n\n';
        continue;
      }
      if (arrived.done) break;
      yield deltaEvent(arrived.value);
      next = deltas.next();
    }
    yield* ending(await run.wait(0));
  } finally {
    leaving.removeEventListener('abort', stop);
    stop();
  }

  function event(name: string, position: string, data: JsonObject): string {
    return `id: ${runId}.${position}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
  }

  function deltaEvent({ attempt, offset, text }: RunDelta): string {
    return event('delta', `${attempt}.${offset + text.length}`, { attempt, offset, text });
  }

  function* ending({ state, output, failure, usage, cost }: RunView): Generator<string> {
    const error = (reply: ProblemReply) => event('error', 'end', problemMembers(reply));
    switch (state) {
      case 'succeeded':
      case 'input_required':
        // In one piece: a client that reconnects after the first of them would miss the second.
        yield event('message', 'end', { runId, status: state, ...(output !== undefined && { output }) }) +
          event('done', 'end', {
            ...{ runId, status: state, statusUrl },
            ...(usage && { usage: { ...usage } }),
            ...(cost && { cost: viewOfCost(cost) }),
          });
        break;
      case 'failed':
        yield error(problem('run_failed', { runId, statusUrl, ...(failure && { detail: failure.message }) }));
        break;
      case 'cancelled':
        yield error(problem('run_cancelled', { runId, statusUrl }));
        break;
      default:
        // The run continues, after the timeout or in the gateway's next start. No new id, so that the client can resume.
        if (isTimeUp) {
          yield `event: error\ndata: ${JSON.stringify(problemMembers(problem('wait_timeout', { runId, statusUrl })))}\n\n`;
        }
    }
  }
}

function problemMembers({ status, body }: ProblemReply): JsonObject {
  return { ...body, status };
}
