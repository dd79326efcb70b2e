import { problem, type Reply } from '../../contract/index.ts';
import type { Call } from '../call.ts';
import { refuse } from '../refuse.ts';

export function expectation({ request, awaitsContinue }: Call): Reply | undefined {
  if (request.headers.expect === undefined || request.httpVersion !== '1.1' || awaitsContinue) return undefined;
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
  if (length <= call.snapshot.config.server.bodyLimitBytes) return undefined;
  return refuse(call, { kind: 'refused', code: 'body_too_large', reason: '' });
}

export function method({ head }: Call): Reply | undefined {
  return head.method === 'POST' ? undefined : problem('method_not_allowed', {}, { allow: 'POST' });
}
