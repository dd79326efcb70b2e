import type { FastifyInstance } from 'fastify';
import type { LimitFilter, LimitOperations } from '../runtime/limits/limit-operations.ts';
import { sendProblem } from './admin-problem.ts';

/** Limits for operators: what they have counted, and how to begin anew. */
export function registerLimits(app: FastifyInstance, operations: LimitOperations): void {
  app.get<{ Querystring: { [Name in keyof LimitFilter]: unknown } }>('/limits', async (request, reply) => {
    const given = Object.entries(request.query).map(([name, value]) => [name, String(value)]);
    const listed = await operations.list(Object.fromEntries(given));
    if (!listed.ok) return sendProblem(reply, request.id, 'bad_request', { detail: listed.message });
    return { limits: listed.limits };
  });
  app.post<{ Querystring: { limit?: unknown; value?: unknown } }>('/limits/reset', async (request, reply) => {
    const { limit, value } = request.query;
    if (typeof limit !== 'string' || (value !== undefined && typeof value !== 'string')) {
      return sendProblem(reply, request.id, 'bad_request', { detail: 'Name one limit, and at most one value.' });
    }
    const result = await operations.reset(limit, value);
    switch (result.kind) {
      case 'reset':
        return { limit: result.limit, counters: result.counters };
      case 'not_found':
        return sendProblem(reply, request.id, 'not_found', { detail: `There is no limit ${limit}.` });
      case 'ambiguous':
        return sendProblem(reply, request.id, 'bad_request', {
          detail: `Several limits are named ${limit}: name one by its id.`,
          ids: [...result.ids],
        });
    }
  });
}
