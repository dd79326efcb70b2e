import type { FastifyInstance, FastifyReply } from 'fastify';
import type { JsonValue } from '../contract/index.ts';
import { listParameters } from '../runtime/list-filter.ts';
import type { RunFilter, RunOperations } from '../runtime/run-operations.ts';
import type { EditedReplay } from '../runtime/run-replays.ts';
import type { Snapshot } from '../runtime/snapshot.ts';
import { type AdminStreaming, sendEvents } from './admin-events.ts';
import { unknownParameter, wrongParameter } from './admin-parameters.ts';
import { sendProblem } from './admin-problem.ts';
import { eventStream } from './event-stream.ts';

interface ById {
  Params: { id: string };
}

export interface AdminRunParts extends AdminStreaming {
  readonly operations: RunOperations;
  readonly snapshot: () => Snapshot;
}

/** Runs for operators: list, count, show, follow, cancel, replay. */
export function registerRuns(app: FastifyInstance, { operations, snapshot, ...streaming }: AdminRunParts): void {
  app.get<{ Querystring: { [Name in keyof RunFilter]: unknown } }>('/runs', async (request, reply) => {
    const unknown = unknownParameter(request.query, [...listParameters, 'state', 'replays']);
    if (unknown !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: unknown });
    const given = Object.entries(request.query).map(([name, value]) => [name, String(value)]);
    const listed = await operations.list(Object.fromEntries(given));
    if (!listed.ok) return sendProblem(reply, request.id, 'bad_request', { detail: listed.message });
    return { runs: listed.runs, next: listed.next ?? null };
  });
  app.get<{ Querystring: RunFilter }>('/runs/count', async (request, reply) => {
    const wrong = wrongParameter(request.query, { texts: countFilters });
    if (wrong !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: wrong });
    const counted = await operations.count(request.query);
    return counted.ok ? counted.counted : sendProblem(reply, request.id, 'bad_request', { detail: counted.message });
  });
  app.get<ById & { Querystring: Record<string, unknown> }>(
    '/runs/:id/deltas',
    { exposeHeadRoute: false },
    async (request, reply) => {
      const unknown = unknownParameter(request.query, []);
      if (unknown !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: unknown });
      const { id } = request.params;
      const followed = await operations.follow(id, `/runs/${encodeURIComponent(id)}`);
      if (followed.kind === 'not_found') return sendProblem(reply, request.id, 'run_not_found');
      if (followed.kind === 'not_kept') return sendProblem(reply, request.id, 'forbidden', { detail: notKept });
      const { 'last-event-id': last } = request.headers;
      const from = typeof last === 'string' ? { lastEventId: last } : {};
      const events = eventStream({ run: followed.run, timeoutMs: longestStreamMs, ...from });
      return sendEvents(request, reply, events, streaming);
    },
  );
  app.get<ById>('/runs/:id', async (request, reply) => {
    return (await operations.show(request.params.id)) ?? sendProblem(reply, request.id, 'run_not_found');
  });
  app.post<ById & { Querystring: Record<string, unknown> }>(
    '/runs/:id/cancel',
    { config: { action: 'runs.cancel' } },
    async (request, reply) => {
      const wrong = wrongParameter(request.query);
      if (wrong !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: wrong });
      const cancelled = await operations.cancel(request.params.id, request.actor);
      if (cancelled.kind === 'not_found') return sendProblem(reply, request.id, 'run_not_found');
      if (cancelled.kind === 'unavailable') {
        return sendProblem(reply, request.id, 'unavailable', { detail: cancelled.reason }, { 'retry-after': '1' });
      }
      return { cancelled: cancelled.kind === 'cancelled', run: cancelled.run };
    },
  );
  const replaying = { bodyLimit: replayLimitBytes, config: { action: 'runs.replay', hasBody: true } };
  app.post<ById & { Querystring: { once?: string } }>('/runs/:id/replay', replaying, async (request, reply) => {
    const wrong = wrongParameter(request.query, { flags: ['once'] });
    if (wrong !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: wrong });
    const edited = editedBodyOf(request.body);
    if (typeof edited === 'string') return sendProblem(reply, request.id, 'bad_request', { detail: edited });
    const { id } = request.params;
    const once = request.query.once === 'true';
    const replayed =
      edited === undefined
        ? await operations.replay(id, request.actor, { once })
        : await operations.replayEdited(id, edited.body, request.actor, { once, snapshot: snapshot() });
    return answerReplayed(replayed, request.id, reply);
  });
}

/** Bodies of requests are smaller by default; in JSON text, a body that is given as a text has each quote escaped. */
const replayLimitBytes = 4 * 1024 * 1024;
/** How long a stream stays open; its client may reconnect. */
const longestStreamMs = 3_600_000;
const notReplayable =
  'The input of the run was not kept, or only with masked values: it is replayed neither as it was nor edited.';
const notKept = 'The trigger of this run does not keep what its agents say (record), so operators cannot follow it.';
const countFilters = [
  ...['trigger', 'project', 'request', 'requestId', 'since', 'olderThan', 'newerThan', 'where', 'state', 'after'],
] as const satisfies readonly (keyof RunFilter)[];

/** The input to replay a run with; undefined: its own. A text is what is wrong. */
function editedBodyOf(sent: unknown): { readonly body: JsonValue } | string | undefined {
  if (sent === undefined || sent === null) return undefined;
  const names = typeof sent === 'object' && !Array.isArray(sent) ? Object.keys(sent) : undefined;
  if (names === undefined) return 'The body must be an object, with the edited input as its member body.';
  const other = names.find((name) => name !== 'body');
  if (other !== undefined) return `Unknown member ${JSON.stringify(other)}. The only one here is body.`;
  if (names.length === 0) return undefined;
  const { body }: { body?: JsonValue } = sent;
  const isBody = typeof body === 'string' || (typeof body === 'object' && body !== null && !Array.isArray(body));
  return isBody ? { body } : 'body must be an object, or a text that is its JSON.';
}

function answerReplayed(replayed: EditedReplay, requestId: string, reply: FastifyReply): unknown {
  switch (replayed.kind) {
    case 'accepted':
      return reply.code(202).send(replayed.run);
    case 'replayed_already':
      return { alreadyReplayedAs: replayed.runId };
    case 'not_found':
      return sendProblem(reply, requestId, 'run_not_found');
    case 'unavailable':
      return sendProblem(reply, requestId, 'unavailable', { detail: replayed.reason }, { 'retry-after': '1' });
    case 'refused':
      return sendProblem(reply, requestId, replayed.code, replayed.members);
    case 'not_replayable':
      return sendProblem(reply, requestId, replayed.kind, { detail: notReplayable });
    case 'trigger_not_found':
      return sendProblem(reply, requestId, replayed.kind);
  }
}
