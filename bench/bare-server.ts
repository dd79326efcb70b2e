// The other side of the comparison: what Fastify costs that parses the same bodies and answers with the same members.
import { STATUS_CODES } from 'node:http';
import fastify, { type RouteGenericInterface } from 'fastify';
import { problemCodes } from '../src/contract/index.ts';
import { filters } from './rows.ts';

const runId = '01900000-0000-7000-8000-000000000000';

interface Call extends RouteGenericInterface {
  Params: { projectId: string; key: string };
}

const app = fastify({ logger: false });
app.post<Call>('/api/v1.0/project/:projectId/trigger/:key', (request, reply) => {
  const { projectId, key } = request.params;
  const statusUrl = `/api/v1.0/project/${projectId}/trigger/${key}/run/${runId}`;
  const refuse = (code: keyof typeof problemCodes, members: object) => {
    const { status, detail } = problemCodes[code];
    const problem = { type: 'about:blank', title: STATUS_CODES[status], status, code, detail, ...members };
    reply.code(status).header('content-type', 'application/problem+json');
    return reply.send(JSON.stringify({ ...problem, requestId: request.id }));
  };
  switch (key) {
    case 'accepted':
      return reply.send({ runId, status: 'succeeded', output: { environment: 'api', ...(request.body as object) } });
    case 'background':
      reply.code(202).header('location', statusUrl).header('retry-after', '5');
      return reply.send({ runId, status: 'running', statusUrl });
    case 'dropped':
      return refuse('filtered', { filter: filters[0]?.name });
    case 'duplicate':
      return refuse('duplicate', { runId, statusUrl });
    default:
      reply.header('www-authenticate', 'Bearer, ApiKey');
      return refuse('unauthorized', {});
  }
});

await app.listen({ host: '127.0.0.1', port: Number(process.argv[2]) });

// A profile is written when the process ends by itself.
process.once('SIGTERM', () => app.close());
