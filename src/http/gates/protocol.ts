import { problem, type Reply } from '../../contract/index.ts';
import type { Call } from '../call.ts';
import { refuse } from '../refuse.ts';

/** The same test as Node's, which answers `100-continue` by itself. */
const isContinue = /(?:^|\W)100-continue(?:$|\W)/i;

export function expectation({ request }: Call): Reply | undefined {
  const { expect } = request.headers;
  if (expect === undefined || request.httpVersion !== '1.1' || isContinue.test(expect)) return undefined;
  return problem('expectation_failed', {}, { connection: 'close' });
}

export function host(call: Call): Reply | undefined {
  const { headers, httpVersion } = call.request;
  if (headers.host !== undefined || httpVersion !== '1.1') return undefined;
  return refuse(call, { kind: 'refused', code: 'bad_request', reason: 'no Host' });
}

export function declaredLength(call: Call): Reply | undefined {
  const length = Number(call.request.headers['content-length'] ?? 0);
  if (length <= call.snapshot.config.server.bodyLimitBytes) return undefined;
  return refuse(call, { kind: 'refused', code: 'body_too_large', reason: '' });
}

export function method({ head }: Call): Reply | undefined {
  return head.method === 'POST' ? undefined : problem('method_not_allowed', {}, { allow: 'POST' });
}
