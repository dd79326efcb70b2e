import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { listParameters } from '../runtime/list-filter.ts';
import type { FiredRequest, FireOperations } from '../runtime/recording/fire-operations.ts';
import type { Recorder } from '../runtime/recording/recorder.ts';
import type { RequestFilter, RequestOperations } from '../runtime/recording/request-operations.ts';
import { unknownParameter, wrongParameter } from './admin-parameters.ts';
import { sendProblem } from './admin-problem.ts';

interface Filtered {
  Querystring: { [Name in keyof RequestFilter]: unknown };
}

const parameters = [...listParameters, 'verdict', 'fires'];

export interface AdminRequestParts {
  readonly operations: RequestOperations;
  readonly fires: FireOperations;
  readonly recorder: Recorder;
}

interface Firing {
  Params: { id: string };
  Querystring: { revision?: string; dryRun?: string };
}

/** Recorded requests for operators: fire, show, export as JSON Lines. Each includes all requests answered so far. */
export function registerRequests(app: FastifyInstance, { operations, fires, recorder }: AdminRequestParts): void {
  app.get<Filtered>('/requests', async (request, reply) => {
    const unknown = unknownParameter(request.query, parameters);
    if (unknown !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: unknown });
    await recorder.settled();
    const listed = await operations.list(filterOf(request.query));
    if (!listed.ok) return sendProblem(reply, request.id, 'bad_request', { detail: listed.message });
    return { requests: listed.requests, next: listed.next ?? null };
  });
  app.get<{ Params: { id: string } }>('/requests/:id', async (request, reply) => {
    await recorder.settled();
    const line = await operations.line(request.params.id);
    if (line === undefined) {
      return sendProblem(reply, request.id, 'not_found', { detail: 'Recorded request not found.' });
    }
    return reply.type('application/json; charset=utf-8').send(line);
  });
  app.post<Firing>(
    '/requests/:id/fire',
    { config: { action: 'requests.fire', hasBody: true } },
    async (request, reply) => {
      if (Object.keys(Object(request.body)).length > 0) {
        const detail = 'A recorded request is fired as it was recorded: send no body.';
        return sendProblem(reply, request.id, 'bad_request', { detail });
      }
      const wrong = wrongParameter(request.query, { flags: ['dryRun'], texts: ['revision'] });
      if (wrong !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: wrong });
      await recorder.settled();
      const { revision, dryRun } = request.query;
      const fired = await fires.fire(request.params.id, request.actor, { revision, isDryRun: dryRun === 'true' });
      if (fired === undefined) {
        return sendProblem(reply, request.id, 'not_found', { detail: 'Recorded request not found.' });
      }
      return answerFired(fired, request.id, reply);
    },
  );
  app.get<Filtered>('/requests/export', async (request, reply) => {
    const unknown = unknownParameter(request.query, parameters);
    if (unknown !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: unknown });
    await recorder.settled();
    const exported = operations.export(filterOf(request.query));
    if (!exported.ok) return sendProblem(reply, request.id, 'bad_request', { detail: exported.message });
    return reply.type('application/jsonl; charset=utf-8').send(Readable.from(exported.lines));
  });
}

function answerFired(fired: FiredRequest, requestId: string, reply: FastifyReply): unknown {
  switch (fired.kind) {
    case 'other_revision':
      return sendProblem(reply, requestId, 'bad_request', {
        detail: `The revision that serves is ${fired.revision}.`,
        revision: fired.revision,
      });
    case 'limited': {
      const { by, retryAfter } = fired;
      return sendProblem(
        reply,
        requestId,
        'rate_limited',
        { limit: by },
        retryAfter ? { 'retry-after': retryAfter } : {},
      );
    }
    case 'unavailable':
      return sendProblem(reply, requestId, 'unavailable', { detail: fired.reason }, { 'retry-after': '1' });
    default: {
      const { kind: outcome, ...rest } = fired;
      return reply.code(outcome === 'fired' ? 202 : 200).send({ outcome, ...rest });
    }
  }
}

/** A parameter that occurs more than once is an array, which no filter accepts. */
function filterOf(query: Filtered['Querystring']): RequestFilter {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]));
}
