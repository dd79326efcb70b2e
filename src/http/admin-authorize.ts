import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Actor, AuditTrail } from '../runtime/audit/audit-trail.ts';
import type { AdminAccess } from './admin-access.ts';
import { refusedRequest } from './admin-gate.ts';
import { adminHeaders, peerHeader } from './admin-headers.ts';
import { sendProblem } from './admin-problem.ts';
import { clientIp } from './client-ip.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends it. */
    actor: Actor;
  }
  interface FastifyContextConfig {
    /** What the audit trail calls it, of a route that changes something. */
    readonly action?: string;
    /** Whether it reveals nothing and needs no token: probes ask it, or a page that signs in by itself. */
    readonly isOpen?: boolean;
    /** Whether its POST changes nothing, so that any role may send it: what it asks about is too large for a query. */
    readonly isQuestion?: boolean;
    /** Whether its body is parsed as JSON; that of any other route is ignored. */
    readonly hasBody?: boolean;
  }
}

export interface AdminAuthorization {
  /** Read for each request, since a reload may change it. */
  readonly access: () => AdminAccess;
  readonly trail: AuditTrail;
  /** Whether another process has the listener, and passes requests on through a socket. */
  readonly isBehindPrimary: boolean;
}

const unauthorized = { detail: 'The admin listener requires a valid bearer token: Authorization: Bearer …' };

/** Has each request checked before its handler: its Host and origin, its token, and what the role of the token allows. */
export function authorizeRequests(app: FastifyInstance, { access, trail, isBehindPrimary }: AdminAuthorization): void {
  app.decorateRequest('actor');
  app.addHook('onRequest', async (request, reply) => {
    reply.raw.setHeader('x-request-id', request.id);
    for (const [name, value] of Object.entries(adminHeaders)) reply.raw.setHeader(name, value);
    const { method, headers, routeOptions, raw } = request;
    const current = access();
    const ip = isBehindPrimary ? String(headers[peerHeader] ?? '') : clientIp(raw, { trustProxy: false });
    const hostLines = raw.headersDistinct.host?.length ?? 0;
    const detail = refusedRequest({ method, target: raw.url ?? '/', headers, hostLines, ip }, current);
    if (detail !== undefined) return sendProblem(reply, request.id, 'forbidden', { detail });
    if (routeOptions.config.isOpen === true) return;
    const authenticated = current.authenticate(headers.authorization, Date.now());
    if (authenticated.kind === 'rejected') {
      return sendProblem(reply, request.id, 'unauthorized', unauthorized, { 'www-authenticate': 'Bearer' });
    }
    const { id: actor, role } = authenticated.identity;
    request.actor = { actor, role, ip, requestId: request.id };
    if (role === 'operate' || method === 'GET' || method === 'HEAD' || routeOptions.config.isQuestion === true) return;
    await trail.refused(request.actor, actionOf(request), 'forbidden');
    const needed = `This needs a token with the role operate; ${actor} has the role ${role}.`;
    return sendProblem(reply, request.id, 'forbidden', { detail: needed, role: 'operate' });
  });
}

function actionOf({ method, params, query, routeOptions }: FastifyRequest): {
  action: string;
  target: string | undefined;
} {
  const target: unknown = Object(params).id ?? Object(query).limit;
  return {
    action: routeOptions.config.action ?? `${method} ${routeOptions.url ?? 'unknown'}`,
    target: typeof target === 'string' ? target : undefined,
  };
}
