import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { type AuditFilter, type AuditOperations, auditFilters } from '../runtime/audit/audit-operations.ts';
import { unknownParameter } from './admin-parameters.ts';
import { sendProblem } from './admin-problem.ts';

interface Filtered {
  Querystring: { [Name in keyof AuditFilter]: unknown };
}

/** The audit trail for operators: list, export as JSON Lines. */
export function registerAudit(app: FastifyInstance, operations: AuditOperations): void {
  app.get<Filtered>('/audit', async (request, reply) => {
    const unknown = unknownParameter(request.query, auditFilters);
    if (unknown !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: unknown });
    const listed = await operations.list(filterOf(request.query));
    if (!listed.ok) return sendProblem(reply, request.id, 'bad_request', { detail: listed.message });
    return { entries: listed.entries, next: listed.next ?? null };
  });
  app.get<Filtered>('/audit/export', async (request, reply) => {
    const unknown = unknownParameter(request.query, auditFilters);
    if (unknown !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: unknown });
    const exported = operations.export(filterOf(request.query));
    if (!exported.ok) return sendProblem(reply, request.id, 'bad_request', { detail: exported.message });
    return reply.type('application/jsonl; charset=utf-8').send(Readable.from(exported.lines));
  });
}

function filterOf(query: Filtered['Querystring']): AuditFilter {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]));
}
