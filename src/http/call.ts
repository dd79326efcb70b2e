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
    const query = url.indexOf('?');
    const path = query === -1 ? url : url.slice(0, query);
    snapshot.lease();
    this.snapshot = snapshot;
    this.route = parseRoute(path, snapshot.config.server.basePath);
    this.head = {
      requestId,
      receivedAt: Date.now(),
      method,
      path,
      headers: request.headers,
      ip: clientIp(request, snapshot.config.server.trustProxy),
    };
  }
}
