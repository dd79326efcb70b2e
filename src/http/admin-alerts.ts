import type { FastifyInstance } from 'fastify';
import type { Alerts } from '../observe/alerts/alerts.ts';
import { sendProblem } from './admin-problem.ts';

/** Alerts for operators: what fires, what was sent, and whether receivers can be reached. */
export function registerAlerts(app: FastifyInstance, alerts: Alerts): void {
  app.get('/alerts', () => ({ alerts: alerts.list() }));
  app.post<{ Querystring: { name?: unknown } }>('/alerts/test', async (request, reply) => {
    const { name } = request.query;
    if (typeof name !== 'string') {
      return sendProblem(reply, request.id, 'bad_request', { detail: 'Name one alert: ?name=NAME.' });
    }
    const tested = await alerts.test(name);
    if (tested.kind === 'sent') return { name, receivers: tested.receivers };
    return sendProblem(reply, request.id, 'not_found', { detail: `There is no alert ${name}.` });
  });
}
