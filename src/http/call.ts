import type { FastifyRequest } from 'fastify';
import type { RequestHead } from '../contract/index.ts';
import type { Snapshot } from '../runtime/snapshot.ts';
import type { Admission } from './admission.ts';
import { clientIp } from './client-ip.ts';
import type { Route } from './route.ts';

/** One request of the public listener on its way: what is known of it, and the snapshot it keeps alive. */
export class Call {
  readonly snapshot: Snapshot;
  readonly head: RequestHead;
  readonly route: Route | undefined;
  admission: Admission | undefined;

  /** Leases the snapshot: the request ends on the config that it began with. */
  constructor(request: FastifyRequest, snapshot: Snapshot, route: Route | undefined, path: string) {
    snapshot.lease();
    this.snapshot = snapshot;
    this.route = route;
    this.head = {
      requestId: request.id,
      receivedAt: Date.now(),
      method: request.method,
      path,
      headers: request.headers,
      ip: clientIp(request.raw, snapshot.config.server.trustProxy),
    };
  }
}
