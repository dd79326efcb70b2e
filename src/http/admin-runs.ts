import type { FastifyInstance } from 'fastify';
import type { RunFilter, RunOperations } from '../runtime/run-operations.ts';
import { wrongParameter } from './admin-parameters.ts';
import { sendProblem } from './admin-problem.ts';

interface ById {
  Params: { id: string };
}

/** Runs for operators: list, show, cancel, replay. */
export function registerRuns(app: FastifyInstance, operations: RunOperations): void {
  app.get<{ Querystring: { [Name in keyof RunFilter]: unknown } }>('/runs', async (request, reply) => {
    const given = Object.entries(request.query).map(([name, value]) => [name, String(value)]);
    const listed = await operations.list(Object.fromEntries(given));
    if (!listed.ok) return sendProblem(reply, request.id, 'bad_request', { detail: listed.message });
    return { runs: listed.runs, next: listed.next ?? null };
  });
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
  const replaying = { config: { action: 'runs.replay' } };
  app.post<ById & { Querystring: { once?: string } }>('/runs/:id/replay', replaying, async (request, reply) => {
    const wrong = wrongParameter(request.query, { flags: ['once'] });
    if (wrong !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: wrong });
    const once = request.query.once === 'true';
    const replayed = await operations.replay(request.params.id, request.actor, { once });
    switch (replayed.kind) {
      case 'accepted':
        return reply.code(202).send(replayed.run);
      case 'replayed_already':
        return { alreadyReplayedAs: replayed.runId };
      case 'not_found':
        return sendProblem(reply, request.id, 'run_not_found');
      case 'unavailable':
        return sendProblem(reply, request.id, 'unavailable', { detail: replayed.reason }, { 'retry-after': '1' });
      default:
        return sendProblem(reply, request.id, replayed.kind);
    }
  });
}
