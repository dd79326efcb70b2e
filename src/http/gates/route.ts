import { problem, type Reply } from '../../contract/index.ts';
import { parseRoute } from '../address.ts';
import type { Call } from '../call.ts';

export function route(call: Call): Reply | undefined {
  const parsed = parseRoute(call.head.path, call.snapshot.config.server.basePath);
  if (parsed === undefined) return problem('not_found');
  if (parsed === 'malformed') return problem('bad_request');
  call.route = parsed;
  return undefined;
}
