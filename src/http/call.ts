import type { IncomingMessage } from 'node:http';
import type { RequestHead } from '../contract/index.ts';
import type { Snapshot } from '../runtime/snapshot.ts';
import { clientIp } from './client-ip.ts';
import { parseRoute, type Route } from './route.ts';

/** One request of the public listener on its way: what is known of it, and the snapshot it keeps alive. */
export class Call {
  readonly snapshot: Snapshot;
  readonly head: RequestHead;
  readonly route: Route | undefined;

  /** Leases the snapshot: the request ends on the config that it began with. */
  constructor(request: IncomingMessage, requestId: string, snapshot: Snapshot) {
    const { url = '', method = '' } = request;
    const target = url.startsWith('/') ? url : url.replace(absoluteForm, '');
    const path = pathOf(target);
    snapshot.lease();
    this.snapshot = snapshot;
    this.route = parseRoute(path, snapshot.config.server.basePath);
    this.head = {
      requestId,
      receivedAt: Date.now(),
      method,
      path,
      query: target.slice(path.length + 1),
      headers: request.headers,
      ip: clientIp(request, snapshot.config.server.trustProxy),
    };
  }
}

/** RFC 9112 §3.2.2: what a client sends to a proxy, and every server must take. */
const absoluteForm = /^https?:\/\/[^/?#]*/i;

function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query === -1 ? target : target.slice(0, query);
}
