import type { FastifyInstance } from 'fastify';
import type { KeyOperations } from '../runtime/keys/key-operations.ts';
import { unknownParameter } from './admin-parameters.ts';
import { sendProblem } from './admin-problem.ts';

/** API keys for operators. */
export function registerKeys(app: FastifyInstance, operations: KeyOperations): void {
  app.get<{ Querystring: Record<string, unknown> }>('/keys', (request, reply) => {
    const unknown = unknownParameter(request.query, []);
    if (unknown !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: unknown });
    return operations.list();
  });
}
