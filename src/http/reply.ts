import { type ServerResponse, STATUS_CODES } from 'node:http';
import { type BodyReply, type JsonValue, type ProblemCode, problem, type StreamReply } from '../contract/index.ts';

/** How long a client may take to read the rest of a stream that the gateway ends, in milliseconds. */
const lastWordsMs = 1000;

/** Of every answer: its log line, run and recording name the same id. */
const requestIdHeader = 'x-request-id';

/** Of every stream that does not set them itself, so that its pieces arrive as they are written. */
const streamHeaders = [
  // An intermediary that compresses would keep pieces until it has enough of them.
  ['cache-control', 'no-store, no-transform'],
  // Nginx would buffer it otherwise.
  ['x-accel-buffering', 'no'],
] as const;

/**
 * Writes the reply of a stage or of the gateway; of a stream only the head, `writeStream` does the rest. Every error leaves
 * as application/problem+json (RFC 9457), unless a plugin made its body itself, as bytes or as a stream. Head and body
 * leave in one system call. Throws before anything is written if a header, the status or the body cannot be sent.
 */
export function writeReply(
  response: ServerResponse,
  requestId: string,
  { status, headers, body, stream }: BodyReply | StreamReply,
  common?: Readonly<Record<string, string>>,
): void {
  // What a plugin sets itself, in any case, is replaced below. Without that, one object of headers is faster.
  const isMerged = headers !== undefined || stream !== undefined;
  if (isMerged) {
    for (const name in common) response.setHeader(name, common[name] ?? '');
    response.setHeader(requestIdHeader, requestId);
  }
  const first = isMerged ? headers : common;
  if (stream !== undefined) {
    for (const [name, value] of streamHeaders) response.setHeader(name, value);
    response.writeHead(status, { ...headers, [requestIdHeader]: requestId }).flushHeaders();
    return;
  }
  if (body instanceof Uint8Array) {
    const own = { 'content-length': body.byteLength, [requestIdHeader]: requestId };
    response.writeHead(status, { ...first, ...own }).end(body);
    return;
  }
  const sent: Record<string, string | number> = { ...first, [requestIdHeader]: requestId };
  let text = '';
  if (status >= 400) {
    text = renderProblem(status, requestId, body);
    sent['content-type'] = 'application/problem+json';
  } else if (body !== undefined) {
    text = JSON.stringify(body);
    sent['content-type'] = 'application/json; charset=utf-8';
  }
  if (text !== '') sent['content-length'] = Buffer.byteLength(text);
  response.writeHead(status, sent).end(text);
}

/** Ends a response that is being streamed; a client that does not take the rest is cut off. */
export function endResponse(response: ServerResponse): void {
  response.end();
  setTimeout(() => response.destroy(), lastWordsMs).unref();
}

/** A whole response for a connection that has no request to answer, for example one that sent invalid HTTP. */
export function rawProblem(code: ProblemCode, requestId: string, more: Readonly<Record<string, string>> = {}): string {
  const { status, body } = problem(code);
  const text = renderProblem(status, requestId, body);
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'content-type: application/problem+json',
    `${requestIdHeader}: ${requestId}`,
    ...Object.entries(more).map(([name, value]) => `${name}: ${value}`),
    `content-length: ${Buffer.byteLength(text)}`,
    'connection: close',
    '',
    text,
  ].join('\r\n');
}

/** RFC 9457 §4.2.1: with `about:blank` the title is the status phrase, and `code` distinguishes the errors. */
function renderProblem(status: number, requestId: string, body: JsonValue | undefined): string {
  const members = typeof body === 'object' && body !== null && !Array.isArray(body) ? body : { detail: body ?? null };
  return JSON.stringify({ type: 'about:blank', title: STATUS_CODES[status] ?? 'Error', status, ...members, requestId });
}
