import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import type { Recorder } from '../runtime/recording/recorder.ts';
import type { RequestFilter, RequestOperations } from '../runtime/recording/request-operations.ts';
import { sendProblem } from './admin-problem.ts';

interface Filtered {
  Querystring: { [Name in keyof RequestFilter]: unknown };
}

/** Recorded requests for operators: list, show, export as JSON Lines. Each includes all requests answered so far. */
export function registerRequests(app: FastifyInstance, operations: RequestOperations, recorder: Recorder): void {
  app.get<Filtered>('/requests', async (request, reply) => {
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
  app.get<Filtered>('/requests/export', async (request, reply) => {
    await recorder.settled();
    const exported = operations.export(filterOf(request.query));
    if (!exported.ok) return sendProblem(reply, request.id, 'bad_request', { detail: exported.message });
    return reply.type('application/jsonl; charset=utf-8').send(Readable.from(exported.lines));
  });
}

/** A parameter that occurs more than once is an array, which no filter accepts. */
function filterOf(query: Filtered['Querystring']): RequestFilter {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]));
}
