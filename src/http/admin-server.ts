import { hash, timingSafeEqual } from 'node:crypto';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import type { PluginLog } from '../contract/index.ts';
import { describeProblems } from '../diagnostics/format-json.ts';
import { locateProblems } from '../diagnostics/located-problem.ts';
import type { MemoryCounters } from '../engine/limits/memory-counters.ts';
import { type Engine, EngineUnavailable, type Recordings } from '../engine/types/index.ts';
import { acceptedFormat, contentTypes } from '../observe/exposition.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { Expectations } from '../runtime/limits/expectations.ts';
import { LimitOperations } from '../runtime/limits/limit-operations.ts';
import type { Live } from '../runtime/live.ts';
import type { MemoryBudget } from '../runtime/memory/memory-budget.ts';
import { NodeOperations } from '../runtime/nodes/node-operations.ts';
import { servedConfig, type ThisNode } from '../runtime/nodes/this-node.ts';
import { FireOperations } from '../runtime/recording/fire-operations.ts';
import type { Recorder } from '../runtime/recording/recorder.ts';
import { RequestOperations } from '../runtime/recording/request-operations.ts';
import type { Reloader } from '../runtime/reloader.ts';
import { RunOperations } from '../runtime/run-operations.ts';
import type { Spending } from '../runtime/spending.ts';
import type { StatusAlert } from '../runtime/status/status-document.gen.ts';
import { StatusOperations } from '../runtime/status/status-operations.ts';
import type { Tracer } from '../runtime/tracing/tracer.ts';
import { foreignPage } from './admin-gate.ts';
import { registerLimits } from './admin-limits.ts';
import { codeOfFastifyError, sendProblem } from './admin-problem.ts';
import { registerRequests } from './admin-requests.ts';
import { registerRuns } from './admin-runs.ts';
import type { Lingering } from './lingering.ts';
import { codeOfClientError } from './protocol-errors.ts';
import type { Readiness } from './readiness.ts';
import { rawProblem } from './reply.ts';
import { requestIds } from './request-id.ts';

export interface AdminServerParts {
  readonly live: Live;
  readonly engine: Engine;
  /** Undefined if the engine does not keep recorded requests. */
  readonly recordings: Recordings | undefined;
  readonly reloader: () => Reloader;
  readonly recorder: Recorder;
  readonly expectations: Expectations;
  readonly log: PluginLog;
  /** Those that are not quiet; undefined: there are none. */
  readonly alerts?: () => readonly StatusAlert[];
  readonly memory: MemoryBudget;
  readonly lingering: Lingering;
  readonly requestLimits: MemoryCounters;
  readonly spending: Spending;
  readonly node: ThisNode;
  /** Read for each request, since a reload may change it; undefined: no token is required. */
  readonly token: () => string | undefined;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
}

/** The listener for operators: health, metrics, config state. `/livez` and `/readyz` reveal nothing and require no token. */
export function createAdminServer(parts: AdminServerParts): FastifyInstance {
  const requestIdOf = requestIds();
  const trust = () => parts.live.current.config.server;
  const app = fastify({
    logger: false,
    genReqId: (request) => requestIdOf(request, trust()),
    logController: new LogController({ disableRequestLogging: true }),
    requestTimeout: 10_000,
    forceCloseConnections: true,
    // Node would answer a request without Host by itself, without a body.
    http: { requireHostHeader: false },
    clientErrorHandler(error, socket) {
      if (error.code === 'ECONNRESET') socket.destroy();
      else parts.lingering.close(socket, rawProblem(codeOfClientError(error), requestIdOf(undefined, trust())));
    },
    // An address that cannot be decoded reaches neither a route nor the error handler.
    frameworkErrors: (error, request, reply) => void sendProblem(reply, request.id, codeOfFastifyError(error)),
  });
  parts.lingering.serve(app.server);
  // Node would answer an unknown Expect without a body.
  app.server.on('checkExpectation', (request, response) => app.routing(request, response));
  const { metrics } = parts;

  app.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    const { headers, method, routeOptions } = request;
    const token = parts.token();
    const hasToken = token !== undefined && carries(headers.authorization, token);
    const detail = foreignPage({ method, headers, hasToken });
    if (detail !== undefined) {
      sendProblem(reply, request.id, 'forbidden', { detail });
      return;
    }
    const isOpen = routeOptions.url === '/livez' || routeOptions.url === '/readyz';
    if (isOpen || token === undefined || hasToken) return done();
    reply.header('www-authenticate', 'Bearer');
    sendProblem(reply, request.id, 'unauthorized', {
      detail: 'The admin API requires a bearer token: Authorization: Bearer …',
    });
  });
  // No operation has a body, but a request that changes anything names its media type.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, _body, done) => done(null, undefined));
  app.get('/livez', () => ({ status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    const status = await parts.readiness.status();
    return reply.code(status === 'ok' ? 200 : 503).send({ status });
  });
  app.get('/metrics', async ({ headers }, reply) => {
    const format = acceptedFormat(headers.accept);
    return reply
      .header('vary', 'accept')
      .type(contentTypes[format])
      .send(await metrics.text(format));
  });
  app.get('/config', () => describeConfig(parts));
  app.post<{ Querystring: { force?: string } }>('/config/reload', async (request, reply) => {
    const report = await parts.reloader().reload({ always: true, force: request.query.force === 'true' });
    return reply.code(report.ok ? 200 : 422).send(describeConfig(parts));
  });
  const { engine, recordings, recorder, expectations, log } = parts;
  const operations = new RequestOperations(recordings, () => parts.live.current.config, engine);
  const fires = new FireOperations({
    engine,
    recordings,
    snapshot: () => parts.live.current,
    expectations,
    log,
    tracer: parts.tracer,
  });
  registerRequests(app, { operations, fires, recorder });
  registerRuns(app, new RunOperations(parts.engine, () => parts.live.current.config, parts.tracer));
  registerLimits(app, new LimitOperations(parts.engine, parts.requestLimits, () => parts.live.current.config));
  const nodes = new NodeOperations(parts.engine, () => {
    const { current } = parts.live;
    return { ...parts.node, ...servedConfig(current), revisionSince: current.loadedAt };
  });
  app.get('/nodes', () => nodes.list());
  const status = new StatusOperations({
    engine,
    recordings,
    nodes,
    config: () => parts.live.current.config,
    serving: {
      snapshot: () => parts.live.current,
      reloader: parts.reloader,
      memory: parts.memory,
      alerts: () => parts.alerts?.() ?? [],
    },
  });
  app.get('/status', async () => {
    await recorder.settled();
    return status.read();
  });
  app.setNotFoundHandler((request, reply) => sendProblem(reply, request.id, 'not_found'));
  app.setErrorHandler((error: Error, request, reply) =>
    sendProblem(reply, request.id, EngineUnavailable.is(error) ? 'unavailable' : codeOfFastifyError(error)),
  );
  return app;
}

function carries(header: string | undefined, token: string): boolean {
  // Digests have the same length, so the comparison does not leak the length of the token.
  return timingSafeEqual(digest(header ?? ''), digest(`Bearer ${token}`));
}

function digest(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

function describeConfig({ live, node, reloader: current }: AdminServerParts): object {
  const reloader = current();
  const { revision, gitCommit, isDirty, loadedAt, config } = live.current;
  const { at, ok, outcome, revision: tried, problems, sources } = reloader.last;
  const { running, revocations } = reloader;
  return {
    node: node.name,
    revision,
    gitCommit: gitCommit ?? null,
    dirty: isDirty ?? null,
    loadedAt: new Date(loadedAt).toISOString(),
    organization: config.organization,
    projects: config.projects.length,
    triggers: config.triggers.length,
    apiKeys: config.apiKeys.length,
    reloading: running ? { since: new Date(running.since).toISOString(), phase: running.phase } : null,
    refusedSince: reloader.refusedSince === undefined ? null : new Date(reloader.refusedSince).toISOString(),
    revocationsAhead: revocations,
    lastReload: {
      at: new Date(at).toISOString(),
      ok,
      outcome,
      revision: tried,
      diagnostics: describeProblems(locateProblems(problems, sources)),
    },
  };
}
