import type { FastifyInstance } from 'fastify';
import type { LimitFilter, LimitOperations } from '../runtime/limits/limit-operations.ts';
import { unknownParameter } from './admin-parameters.ts';
import { sendProblem } from './admin-problem.ts';

/** Limits for operators: what they have counted, and how to begin anew. */
export function registerLimits(app: FastifyInstance, operations: LimitOperations): void {
  app.get<{ Querystring: { [Name in keyof LimitFilter]: unknown } }>('/limits', async (request, reply) => {
    const unknown = unknownParameter(request.query, ['limit', 'values']);
    if (unknown !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: unknown });
    const given = Object.entries(request.query).map(([name, value]) => [name, String(value)]);
    const filter: LimitFilter = Object.fromEntries(given);
    const listed = await operations.list(filter);
    if (listed.ok) return { limits: listed.limits };
    if (listed.kind === 'invalid') return sendProblem(reply, request.id, 'bad_request', { detail: listed.message });
    const { limit = '' } = filter;
    // The member `limit` distinguishes it from other faults of the query.
    return sendProblem(reply, request.id, 'bad_request', { detail: `There is no limit ${limit}.`, limit });
  });
  app.post<{ Querystring: { limit?: unknown; value?: unknown } }>(
    '/limits/reset',
    { config: { action: 'limits.reset' } },
    async (request, reply) => {
      const unknown = unknownParameter(request.query, ['limit', 'value']);
      if (unknown !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: unknown });
      const { limit, value } = request.query;
      if (typeof limit !== 'string' || (value !== undefined && typeof value !== 'string')) {
        return sendProblem(reply, request.id, 'bad_request', { detail: 'Name one limit, and at most one value.' });
      }
      const result = await operations.reset(limit, value, request.actor);
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
    },
  );
}
