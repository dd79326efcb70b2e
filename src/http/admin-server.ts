import { join } from 'node:path';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import type { PluginLog } from '../contract/index.ts';
import { describeProblems } from '../diagnostics/format-json.ts';
import { locateProblems } from '../diagnostics/located-problem.ts';
import type { MemoryCounters } from '../engine/limits/memory-counters.ts';
import { type Audit, type Engine, EngineUnavailable, type Recordings } from '../engine/types/index.ts';
import type { Alerts } from '../observe/alerts/alerts.ts';
import { acceptedFormat, contentTypes } from '../observe/exposition.ts';
import type { History } from '../observe/history.ts';
import { historyDocument } from '../observe/history-document.ts';
import type { KeyUses } from '../observe/key-uses.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { RequestTail } from '../observe/request-tail.ts';
import type { Revisions } from '../observe/revisions.ts';
import { AuditOperations } from '../runtime/audit/audit-operations.ts';
import type { Actor } from '../runtime/audit/audit-trail.ts';
import { KeyOperations } from '../runtime/keys/key-operations.ts';
import type { Expectations } from '../runtime/limits/expectations.ts';
import { LimitOperations } from '../runtime/limits/limit-operations.ts';
import type { Live } from '../runtime/live.ts';
import type { MemoryBudget } from '../runtime/memory/memory-budget.ts';
import { NodeOperations } from '../runtime/nodes/node-operations.ts';
import { servedConfig, type ThisNode } from '../runtime/nodes/this-node.ts';
import { packageFolder } from '../runtime/package-version.ts';
import { FireOperations } from '../runtime/recording/fire-operations.ts';
import type { Recorder } from '../runtime/recording/recorder.ts';
import { RequestOperations } from '../runtime/recording/request-operations.ts';
import type { Reloader, ReloadReport } from '../runtime/reloader.ts';
import { RunOperations } from '../runtime/run-operations.ts';
import type { Spending } from '../runtime/spending.ts';
import { StatusOperations } from '../runtime/status/status-operations.ts';
import type { Tracer } from '../runtime/tracing/tracer.ts';
import { registerAlerts } from './admin-alerts.ts';
import { registerAudit } from './admin-audit.ts';
import { type AdminAuthorization, authorizeRequests } from './admin-authorize.ts';
import { registerConsole } from './admin-console.ts';
import { registerExplain } from './admin-explain.ts';
import { adminHeaders } from './admin-headers.ts';
import { registerKeys } from './admin-keys.ts';
import { registerLimits } from './admin-limits.ts';
import { wrongParameter } from './admin-parameters.ts';
import { codeOfFastifyError, sendProblem } from './admin-problem.ts';
import { registerRequests } from './admin-requests.ts';
import { registerRevisions } from './admin-revisions.ts';
import { registerRuns } from './admin-runs.ts';
import { registerTail } from './admin-tail.ts';
import { registerTriggers } from './admin-triggers.ts';
import { ConsoleFiles } from './console-files.ts';
import type { Lingering } from './lingering.ts';
import { codeOfClientError } from './protocol-errors.ts';
import type { Readiness } from './readiness.ts';
import { rawProblem } from './reply.ts';
import { requestIds } from './request-id.ts';
import type { Review } from './review.ts';

export interface AdminServerParts extends AdminAuthorization {
  readonly live: Live;
  readonly engine: Engine;
  /** Undefined if the engine does not keep recorded requests. */
  readonly recordings: Recordings | undefined;
  readonly reloader: () => Reloader;
  readonly recorder: Recorder;
  readonly expectations: Expectations;
  readonly log: PluginLog;
  readonly memory: MemoryBudget;
  readonly lingering: Lingering;
  readonly requestLimits: MemoryCounters;
  readonly spending: Spending;
  readonly node: ThisNode;
  readonly audit: Audit;
  readonly alerts: Alerts;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly keyUses: KeyUses;
  readonly tail: RequestTail;
  readonly revisions: Revisions;
  readonly history: History;
  /** The config folder. */
  readonly root: string;
  readonly review: Review | undefined;
  readonly tracer: Tracer;
}

/** As `npm run build` makes them. */
const consoleFiles = new ConsoleFiles(join(packageFolder() ?? '', 'dist/console'));

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
      else
        parts.lingering.close(
          socket,
          rawProblem(codeOfClientError(error), requestIdOf(undefined, trust()), adminHeaders),
        );
    },
    // An address that cannot be decoded reaches neither a route nor the error handler.
    frameworkErrors: (error, request, reply) => {
      sendProblem(reply, request.id, codeOfFastifyError(error), undefined, adminHeaders);
    },
  });
  parts.lingering.serve(app.server);
  // Node would answer an unknown Expect without a body.
  app.server.on('checkExpectation', (request, response) => app.routing(request, response));
  const { metrics } = parts;

  authorizeRequests(app, parts);
  // Few operations have a body, but a request that changes anything names its media type.
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (request.routeOptions.config.hasBody === true && body !== '') parse(request, body, done);
    else done(null, undefined);
  });
  const open = { config: { isOpen: true } };
  app.get('/livez', open, () => ({ status: 'ok' }));
  app.get('/readyz', open, async (_request, reply) => {
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
  app.get('/whoami', ({ actor: { actor: id, role } }) => ({ id, role }));
  app.post<{ Querystring: { force?: string } }>(
    '/config/reload',
    { config: { action: 'config.reload' } },
    async (request, reply) => {
      const wrong = wrongParameter(request.query, { flags: ['force'] });
      if (wrong !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: wrong });
      const options = { always: true, force: request.query.force === 'true' };
      const report = await auditedReload(parts, request.actor, options);
      return reply.code(report.ok ? 200 : 422).send(describeConfig(parts));
    },
  );
  const { engine, recordings, recorder, expectations, log, trail } = parts;
  const config = () => parts.live.current.config;
  const operations = new RequestOperations(recordings, config, engine);
  const fires = new FireOperations({
    engine,
    recordings,
    trail,
    snapshot: () => parts.live.current,
    expectations,
    log,
    tracer: parts.tracer,
  });
  registerRequests(app, { operations, fires, recorder });
  registerRuns(app, {
    operations: new RunOperations(engine, config, trail, parts.tracer),
    snapshot: () => parts.live.current,
    access: parts.access,
    memory: parts.memory,
  });
  registerLimits(app, new LimitOperations(engine, parts.requestLimits, config, trail));
  registerAudit(app, new AuditOperations(parts.audit, config));
  registerAlerts(app, parts.alerts, trail);
  if (parts.review !== undefined) {
    registerExplain(app, { recorder, review: parts.review, operations, snapshot: () => parts.live.current });
  }
  registerTriggers(app, {
    recorder,
    snapshot: () => parts.live.current,
    recordings,
    review: parts.review,
    root: parts.root,
  });
  registerTail(app, { tail: parts.tail, access: parts.access, memory: parts.memory });
  app.get<{ Querystring: Record<string, unknown> }>('/history', (request, reply) => {
    const { range = '1h' } = request.query;
    const wrong = wrongParameter(request.query, { texts: ['range'] });
    if (wrong !== undefined) return sendProblem(reply, request.id, 'bad_request', { detail: wrong });
    if (range === '1h' || range === '24h') return historyDocument(parts.history, range, parts.node.name);
    return sendProblem(reply, request.id, 'bad_request', { detail: 'range must be 1h or 24h.' });
  });
  registerRevisions(app, { node: parts.node, revisions: parts.revisions, review: parts.review, recordings, recorder });
  registerKeys(
    app,
    new KeyOperations({ node: parts.node, snapshot: () => parts.live.current, usesOf: (key) => parts.keyUses.of(key) }),
  );
  registerConsole(app, consoleFiles);
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
      alerts: () => parts.alerts.activeAlerts(),
    },
  });
  app.get('/status', async () => {
    await recorder.settled();
    return status.read();
  });
  app.setNotFoundHandler((request, reply) => sendProblem(reply, request.id, 'not_found'));
  app.setErrorHandler((error: Error, request, reply) => {
    const code = EngineUnavailable.is(error) ? 'unavailable' : codeOfFastifyError(error);
    if (code === 'internal_error') parts.log.error({ err: error, requestId: request.id }, 'an admin request failed');
    return sendProblem(reply, request.id, code);
  });
  return app;
}

function auditedReload(
  { trail, live, reloader, node }: AdminServerParts,
  actor: Actor,
  options: { readonly always: boolean; readonly force: boolean },
): Promise<ReloadReport> {
  const action = { action: 'config.reload', target: node.name, before: { revision: live.current.revision } };
  return trail.perform(
    actor,
    action,
    () => reloader().reload(options),
    ({ ok, outcome, revision: tried }) => {
      const after = { revision: live.current.revision, outcome, ...(!ok && { tried }) };
      return ok ? { outcome: 'succeeded', after } : { outcome: 'failed', reason: outcome, after };
    },
  );
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
