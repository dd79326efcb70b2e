import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import { type Exchange, type PluginLog, type ProblemCode, problem, type Reply } from '../contract/index.ts';
import { type Engine, EngineUnavailable } from '../engine/types/index.ts';
import { admit } from '../runtime/admission.ts';
import type { Completions } from '../runtime/attempt/completions.ts';
import { inputOf } from '../runtime/body/trigger-body.ts';
import type { Live } from '../runtime/live.ts';
import { fire, type Verdict } from '../runtime/pipeline.ts';
import type { Recorder } from '../runtime/recording/recorder.ts';
import type { LiveTrigger } from '../runtime/snapshot.ts';
import { Call } from './call.ts';
import { eventStream } from './event-stream.ts';
import { decideLate, type LateDecision } from './late-decision.ts';
import type { OutcomeLog } from './outcome-log.ts';
import { codeOfClientError, codeOfFastifyError } from './protocol-errors.ts';
import { readBody } from './read-body.ts';
import { endConnection, sendProblem, writeReply } from './reply.ts';
import { parseRequestBody, readRequestBody } from './request-body.ts';
import { answerCompletion } from './run-completion.ts';
import { answerRun, resumedStream } from './run-resource.ts';
import { endOfTurn } from './turn.ts';
import { writeStream } from './write-stream.ts';

/** How often slow clients are looked for; with it a request timeout is exact to about a second. */
const connectionsCheckMs = 1000;
/** What a refused caller may still send before the connection is closed on it. */
const unreadLimitBytes = 64 * 1024;

export interface PublicServerParts {
  readonly live: Live;
  readonly engine: Engine;
  readonly outcomes: OutcomeLog;
  readonly recorder: Recorder;
  readonly completions: Completions;
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
    // Node would answer a request without Host by itself, and without a body.
    http: { connectionsCheckingInterval: connectionsCheckMs, requireHostHeader: false },
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    // On open connections requests are still answered while it closes; the engine says whether it takes new runs.
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => void sendProblem(reply, request.id, codeOfFastifyError(error)),
    clientErrorHandler: (error: NodeJS.ErrnoException, socket: Socket) => {
      if (error.code === 'ECONNRESET') socket.destroy();
      else endConnection(socket, codeOfClientError(error), requestIds());
    },
  });
  // So it would an `Expect` other than 100-continue, and a CONNECT not at all.
  app.server.on('checkExpectation', (_request, response) => {
    writeReply(response, requestIds(), problem('expectation_failed', {}, { connection: 'close' }));
  });
  app.server.on('connect', (_request, socket) => endConnection(socket, 'bad_request', requestIds()));
  // Answered in the first hook: what the framework does between it and a handler, reading the body first of all, is
  // done here after the caller is known.
  app.addHook('onRequest', ({ raw, id }, reply) => {
    reply.hijack();
    void serve(parts, raw, reply.raw, id);
  });
  app.all('*', () => undefined);
  app.setErrorHandler((error: Error, request, reply) => {
    sendProblem(reply, request.id, codeOfFastifyError(error));
  });
  return app;
}

const unavailable = problem(
  'unavailable',
  { detail: 'What is asked for cannot be read now. Try again.' },
  { 'retry-after': '1' },
);

/** Answers one request, whatever happens. */
async function serve(
  parts: PublicServerParts,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  let call: Call | undefined;
  try {
    call = new Call(request, requestId, parts.live.current);
    const answered = await answer(parts, call, request, response);
    const reply = answered.events === undefined ? answered : eventStream(answered.events);
    await endOfTurn();
    send(response, requestId, reply);
    if (reply.stream !== undefined) await writeStream(response, reply.stream);
  } catch (error) {
    const isUnavailable = EngineUnavailable.is(error);
    if (isUnavailable) parts.log.error({ requestId, reason: error.message }, 'the engine is out of reach');
    else parts.log.error({ requestId, err: error }, 'a request failed unexpectedly');
    if (response.headersSent) response.destroy();
    else send(response, requestId, isUnavailable ? unavailable : problem('internal_error'));
  } finally {
    call?.snapshot.release();
  }
}

/** All that happens to one request: admit → body → fire. */
async function answer(
  parts: PublicServerParts,
  { snapshot, route, head }: Call,
  raw: IncomingMessage,
  response: ServerResponse,
): Promise<Reply> {
  const { bodyLimitBytes } = snapshot.config.server;
  if (raw.headers.host === undefined && raw.httpVersion === '1.1') return refused(parts, 'bad_request', 'no Host');
  // Told by the head alone, whoever asks.
  if (Number(raw.headers['content-length'] ?? 0) > bodyLimitBytes) return refused(parts, 'body_too_large');
  if (route === undefined) return problem('not_found');
  if (route.kind === 'completion') return answerCompletion(parts, head, route, () => bytesOf(raw, bodyLimitBytes));
  const admitted = admit(snapshot, route, head);
  let admission = admitted instanceof Promise ? await admitted : admitted;
  let sent: LateDecision['sent'];
  if (admission.kind !== 'admitted') {
    const late = await decideLate(admission, { raw, route, snapshot });
    if (late.decision.kind === 'refused') {
      return refused(parts, late.decision.code, late.decision.reason, late.decision.trigger);
    }
    if (late.decision.kind === 'handshake') {
      parts.outcomes.count(late.decision.trigger, 'handshake');
      return late.decision.reply;
    }
    admission = late.decision;
    sent = late.sent;
  }
  const { trigger, principal } = admission;
  if (route.kind === 'run') return answerRun(parts.engine, snapshot, admission, { runId: route.runId, head, response });
  if (head.method !== 'POST') return problem('method_not_allowed', {}, { allow: 'POST' });

  const body = sent ? parseRequestBody(raw.headers, sent.bytes) : await readRequestBody(raw, bodyLimitBytes);
  if (body.kind === 'refused') {
    parts.outcomes.count(trigger, body.code);
    return problem(body.code, body.members);
  }
  const exchange: Exchange = {
    ...head,
    project: trigger.project,
    trigger: trigger.trigger,
    caller: principal,
    bodyText: body.text,
    input: inputOf(body, trigger.project.language),
  };
  const resumed = head.headers['last-event-id'] && (await resumedStream(parts.engine, snapshot, admission, head));
  if (resumed) return resumed;
  const recordingId = parts.recorder.choose(trigger);
  const fired = fire(parts.engine, snapshot, trigger, exchange);
  const verdict = fired instanceof Promise ? await fired : fired;
  parts.outcomes.count(trigger, outcomeOf(verdict), reasonOf(verdict));
  if (recordingId !== undefined) parts.recorder.record(recordingId, snapshot, trigger, exchange, verdict);
  return verdict.reply;
}

/** Which filter, and why one failed. Both come from the config, and from the places of an expression. */
function reasonOf(verdict: Verdict): string {
  if (verdict.kind === 'dropped') return verdict.by;
  return verdict.kind === 'filter_error' ? `${verdict.by}: ${verdict.reason}` : '';
}

/** `accepted`, or the code of the reply. */
function outcomeOf({ kind }: Verdict): string {
  return kind === 'dropped' ? 'filtered' : kind;
}

function refused(parts: PublicServerParts, code: ProblemCode, reason = '', trigger?: LiveTrigger): Reply {
  parts.outcomes.count(trigger, code, reason);
  return problem(code, {}, refusalHeaders[code]);
}

const refusalHeaders: Partial<Record<ProblemCode, Record<string, string>>> = {
  unauthorized: { 'www-authenticate': 'ApiKey' },
  unavailable: { 'retry-after': '5' },
};

function send(response: ServerResponse, requestId: string, answered: Reply): void {
  const { req } = response;
  if (!req.readableEnded && declaredLength(req) > unreadLimitBytes) response.setHeader('connection', 'close');
  writeReply(response, requestId, answered);
}

/** The bytes of a body; undefined if they are too many, or the client went away. */
async function bytesOf(request: IncomingMessage, limitBytes: number): Promise<Uint8Array | undefined> {
  const read = await readBody(request, limitBytes);
  return read.ok ? read.bytes : undefined;
}

function declaredLength({ headers }: IncomingMessage): number {
  return headers['transfer-encoding'] === undefined ? Number(headers['content-length'] ?? 0) : Infinity;
}

/** Unique without asking for randomness each time; a gateway that starts anew never repeats the ids of another. */
function requestIdSource(): () => string {
  const prefix = randomBytes(6).toString('base64url');
  let count = 0;
  return () => `${prefix}-${(count++).toString(36)}`;
}
