import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import type { Engine, Exchange, MaybePromise, PluginLog } from '../contract/index.ts';
import type { Live } from '../runtime/live.ts';
import { fire } from '../runtime/pipeline.ts';
import { type Admission, admit, type Refusal } from './admission.ts';
import { Call } from './call.ts';
import type { OutcomeLog } from './outcome-log.ts';
import { codeOfClientError, codeOfFastifyError } from './protocol-errors.ts';
import { rawProblem, sendProblem, sendReply } from './reply.ts';
import { inputOf, noBody, type RequestBody, readRequestBody } from './request-body.ts';
import { parseRoute } from './route.ts';
import { cancelRun, readRun } from './run-resource.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null only before the onRequest hook. */
    call: Call | null;
  }
}

/** How often slow clients are looked for; with it a request timeout is exact to about a second. */
const connectionsCheckMs = 1000;
/** What a refused caller may still send before the connection is closed on it. */
const unreadLimitBytes = 64 * 1024;

export interface PublicServerParts {
  readonly live: Live;
  readonly engine: Engine;
  readonly outcomes: OutcomeLog;
  readonly log: PluginLog;
}

/**
 * The public listener. Its one wildcard route never changes: each request looks its trigger up in the snapshot that is
 * current when it arrives, so that a reload touches no route. Reads like the pipeline: admit → body → fire → reply.
 */
export function createPublicServer(parts: PublicServerParts): FastifyInstance {
  const requestIds = requestIdSource();
  const app = fastify({
    logger: false,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestIds,
    http: { connectionsCheckingInterval: connectionsCheckMs },
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    frameworkErrors: (error, request, reply) => void sendProblem(reply, request.id, codeOfFastifyError(error)),
    clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) => {
      if (error.code === 'ECONNRESET' || !socket.writable) socket.destroy();
      else socket.end(rawProblem(codeOfClientError(error), requestIds()));
    },
  });
  // Node would answer an `Expect` other than 100-continue by itself, and without a body.
  app.server.on('checkExpectation', (_request, response) => {
    response.socket?.end(rawProblem('expectation_failed', requestIds()));
  });
  app.decorateRequest('call', null);
  app.removeAllContentTypeParsers();
  // Two exact entries spare the framework from parsing the media type of each request; the last one takes all others.
  for (const type of ['application/json', 'application/json; charset=utf-8', '*']) {
    app.addContentTypeParser(type, (request, payload, done) => {
      const { server } = callOf(request).snapshot.config;
      readRequestBody(request.headers, payload, server.bodyLimitBytes, (body) => done(null, body));
    });
  }

  app.addHook('onRequest', (request, reply, done) => {
    const call = openCall(parts.live, request);
    request.call = call;
    const refusal = refuseUnread(call, request);
    if (refusal !== undefined) return void refuse(parts, request, reply, refusal);
    if (call.route === undefined) return done();
    const admitted = admit(call.snapshot, call.route, call.head);
    const settle = (decision: Admission | Refusal) => {
      if (decision.kind === 'refused') return void refuse(parts, request, reply, decision);
      call.admission = decision;
      done();
    };
    if (admitted instanceof Promise) admitted.then(settle).catch(done);
    else settle(admitted);
  });
  app.addHook('onResponse', (request, _reply, done) => {
    request.call?.snapshot.release();
    done();
  });

  app.all('*', (request, reply) => answer(parts, request, reply));
  app.setNotFoundHandler((request, reply) => sendProblem(reply, request.id, 'not_found'));
  app.setErrorHandler((error: Error, request, reply) => {
    const code = codeOfFastifyError(error);
    if (code === 'internal_error')
      parts.log.error({ requestId: request.id, err: error }, 'a request failed unexpectedly');
    return sendProblem(reply, request.id, code);
  });
  return app;
}

function openCall(live: Live, request: FastifyRequest): Call {
  const snapshot = live.current;
  const query = request.url.indexOf('?');
  const path = query === -1 ? request.url : request.url.slice(0, query);
  return new Call(request, snapshot, parseRoute(path, snapshot.config.server.basePath), path);
}

function callOf(request: FastifyRequest): Call {
  if (request.call === null) throw new Error('the onRequest hook did not run');
  return request.call;
}

/** What can be refused by the head alone, whoever asks. */
function refuseUnread(call: Call, request: FastifyRequest): Refusal | undefined {
  const { bodyLimitBytes } = call.snapshot.config.server;
  if (Number(request.headers['content-length'] ?? 0) > bodyLimitBytes) {
    return { kind: 'refused', code: 'body_too_large', reason: '' };
  }
  return undefined;
}

function refuse(parts: PublicServerParts, request: FastifyRequest, reply: FastifyReply, refusal: Refusal): void {
  parts.outcomes.count(undefined, refusal.code, refusal.reason);
  const { headers } = request;
  const unread = headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity;
  if (unread > unreadLimitBytes) reply.header('connection', 'close');
  if (refusal.code === 'unauthorized') reply.header('www-authenticate', 'ApiKey');
  sendProblem(reply, request.id, refusal.code);
}

function answer(parts: PublicServerParts, request: FastifyRequest, reply: FastifyReply): MaybePromise<FastifyReply> {
  const call = callOf(request);
  const { route, admission, snapshot } = call;
  if (route === undefined || admission === undefined) return sendProblem(reply, request.id, 'not_found');
  if (route.kind === 'trigger') {
    if (request.method === 'POST') return fireTrigger(parts, call, admission, request, reply);
    return sendProblem(reply, request.id, 'method_not_allowed', {}, { allow: 'POST' });
  }
  if (request.method === 'GET') return readRun(parts.engine, snapshot, admission, route.runId, request.id, reply);
  if (request.method === 'DELETE') return cancelRun(parts.engine, snapshot, admission, route.runId, request.id, reply);
  return sendProblem(reply, request.id, 'method_not_allowed', {}, { allow: 'GET, DELETE' });
}

async function fireTrigger(
  parts: PublicServerParts,
  call: Call,
  { trigger, principal }: Admission,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const body = (request.body as RequestBody | undefined) ?? noBody;
  if (body.kind === 'refused') {
    parts.outcomes.count(trigger, body.code);
    return sendProblem(reply, request.id, body.code, body.members);
  }
  const exchange: Exchange = {
    ...call.head,
    project: trigger.project,
    trigger: trigger.trigger,
    principal,
    bodyText: body.text,
    input: inputOf(body, trigger.project.language),
  };
  const verdict = await fire(parts.engine, call.snapshot, trigger, exchange);
  parts.outcomes.count(trigger, verdict.kind, 'by' in verdict ? verdict.by : '');
  return sendReply(reply, request.id, verdict.reply);
}

/** Unique without asking for randomness each time; a gateway that starts anew never repeats the ids of another. */
function requestIdSource(): () => string {
  const prefix = randomBytes(6).toString('base64url');
  let count = 0;
  return () => `${prefix}-${(count++).toString(36)}`;
}
