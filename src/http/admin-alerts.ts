import type { FastifyInstance } from 'fastify';
import type { Alerts } from '../observe/alerts/alerts.ts';
import type { AuditTrail } from '../runtime/audit/audit-trail.ts';
import { wrongParameter } from './admin-parameters.ts';
import { sendProblem } from './admin-problem.ts';

/** Alerts for operators: what fires, what was sent, and whether receivers can be reached. */
export function registerAlerts(app: FastifyInstance, alerts: Alerts, trail: AuditTrail): void {
  app.get('/alerts', () => ({ alerts: alerts.list() }));
  const action = 'alerts.test';
  app.post<{ Querystring: { name?: unknown } }>('/alerts/test', { config: { action } }, async (request, reply) => {
    const wrong = wrongParameter(request.query, { texts: ['name'] });
    if (wrong !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: wrong });
    const { name } = request.query;
    if (typeof name !== 'string') {
      return sendProblem(reply, request.id, 'bad_request', { detail: 'Name one alert: ?name=NAME.' });
    }
    const tested = await trail.perform(
      request.actor,
      { action, target: name },
      () => alerts.test(name),
      ({ kind }) => (kind === 'sent' ? { outcome: 'succeeded' } : { outcome: 'failed', reason: 'not_found' }),
    );
    if (tested.kind === 'sent') return { name, receivers: tested.receivers };
    return sendProblem(reply, request.id, 'not_found', { detail: `There is no alert ${name}.` });
  });
}
