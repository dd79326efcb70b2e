import { problem, type Reply } from '../../contract/index.ts';
import { parseRoute } from '../address.ts';
import type { Call } from '../call.ts';

export function route(call: Call): Reply | undefined {
  const { path } = call.head;
  const { basePath } = call.snapshot.config.server;
  const parsed = parseRoute(path, basePath);
  if (parsed === undefined) {
    const isOutside = path !== basePath && !path.startsWith(`${basePath}/`);
    call.reason = isOutside
      ? `the path is not below server.basePath, ${basePath}`
      : 'the path is none of a trigger, a run, a token or a completion';
    return problem('not_found');
  }
  if (parsed === 'malformed') {
    call.reason = 'the percent-encoding of the path is invalid';
    return problem('bad_request');
  }
  call.route = parsed;
  return undefined;
}
