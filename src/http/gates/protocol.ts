import { problem, type Reply } from '../../contract/index.ts';
import type { Call } from '../call.ts';
import { refuse } from '../refuse.ts';

export function expectation(call: Call): Reply | undefined {
  const { request, awaitsContinue } = call;
  if (request.headers.expect === undefined || request.httpVersion !== '1.1' || awaitsContinue) return undefined;
  call.reason = 'Expect is not 100-continue';
  return problem('expectation_failed', {}, { connection: 'close' });
}

export function host(call: Call): Reply | undefined {
  const { headers, httpVersion } = call.request;
  if (headers.host === undefined) {
    return httpVersion === '1.1'
      ? refuse(call, { kind: 'refused', code: 'bad_request', reason: 'no Host' })
      : undefined;
  }
  // No Host has a comma: these are several, joined.
  if (!headers.host.includes(',')) return undefined;
  return refuse(call, { kind: 'refused', code: 'bad_request', reason: 'several Host' });
}

/** A proxy may undo another coding, or not: the gateway and its caller would take the body for two things. */
export function transferCoding(call: Call): Reply | undefined {
  const coding = call.request.headers['transfer-encoding'];
  if (coding === undefined || coding.trim().toLowerCase() === 'chunked') return undefined;
  return refuse(call, { kind: 'refused', code: 'bad_request', reason: 'Transfer-Encoding' });
}

export function declaredLength(call: Call): Reply | undefined {
  const length = Number(call.request.headers['content-length'] ?? 0);
  const { bodyLimitBytes } = call.snapshot.config.server;
  if (length <= bodyLimitBytes) return undefined;
  call.reason = `Content-Length ${length} is above server.bodyLimit, ${bodyLimitBytes} bytes`;
  return refuse(call, { kind: 'refused', code: 'body_too_large', reason: '' });
}

export function method(call: Call): Reply | undefined {
  return call.head.method === 'POST' ? undefined : methodNotAllowed(call, 'POST');
}

/** @param allowed as the header `Allow` lists them */
export function methodNotAllowed(call: Call, allowed: string): Reply {
  call.reason = `the method is ${call.head.method}, and only ${allowed} is allowed`;
  return problem('method_not_allowed', {}, { allow: allowed });
}
