import { randomUUID } from 'node:crypto';
import type { JsonObject, MaybePromise, Principal, Reply, VisitingPage, Visitors } from '../../contract/index.ts';
import { joinPointer } from '../../diagnostics/json-pointer.ts';
import type { TokenKeys } from '../../host/token-keys.ts';
import { mayCallFrom } from '../../runtime/admission.ts';
import type { LiveTrigger } from '../../runtime/snapshot.ts';
import type { Call } from '../call.ts';
import { refuse } from '../refuse.ts';
import { narrowCors } from './cors.ts';
import { issueToken } from './issue-token.ts';
import { chargeHead } from './limits.ts';
import { invalidMembers, readJson } from './read-json.ts';

/** A solved challenge has some 1,000 bytes, and a session at most 256 characters. */
const mostBytes = 8 * 1024;

/**
 * `GET …/trigger/:key/token` answers a challenge, and `POST` with its solution a token for a visitor, where the trigger lets
 * visitors in and the request has no credential. Any other request continues, and is answered as if there were no visitors.
 */
export function visitor(call: Call): MaybePromise<Reply | undefined> {
  const { route, snapshot, head } = call;
  const isAsked = route.kind === 'token' && (head.method === 'GET' || head.method === 'POST');
  const trigger = isAsked ? snapshot.find(route.projectId, route.key) : undefined;
  if (trigger?.auth.visitors === undefined || snapshot.tokens === undefined || !trigger.isActive) return undefined;
  if (trigger.credentialHeaders.some((name) => head.headers[name] !== undefined)) return undefined;
  return answer(call, { trigger, visitors: trigger.auth.visitors, tokens: snapshot.tokens });
}

interface Asked {
  readonly trigger: LiveTrigger;
  readonly visitors: Visitors;
  readonly tokens: TokenKeys;
}

async function answer(call: Call, { trigger, visitors, tokens }: Asked): Promise<Reply> {
  const { origin } = call.request.headers;
  narrowCors(call, trigger);
  const isAllowed = origin !== undefined && trigger.cors?.origins.has(origin) === true;
  // A token is bound to the origin: one that no page can name again, such as `null`, would be of no use.
  if (!isAllowed || !mayCallFrom([origin], origin)) return forbidden(call, trigger, 'origin not granted');
  const limited = chargeHead(call, trigger, callerOf(visitors));
  if (limited !== undefined) return limited;
  const page: VisitingPage = { origin, trigger: trigger.id, receivedAt: call.head.receivedAt };
  if (call.head.method === 'GET') return uncached(await visitors.challenge(page));
  const body = await readJson(call, 'unknown', mostBytes);
  if (body.kind === 'refused') return body.reply;
  const request = readRequest(body.members);
  if (request.kind === 'invalid') return invalidMembers(request.errors);
  const redeemed = await visitors.redeem(page, request.solution);
  if (redeemed.kind === 'malformed') return invalidMembers([{ pointer: '/altcha', message: redeemed.message }]);
  if (redeemed.kind === 'rejected') return forbidden(call, trigger, redeemed.reason);
  const { sessionId } = request;
  const { id, key, expiresAt, uses } = redeemed.claims;
  const claims = { id, key, expiresAt, uses, sessionId, origin, trigger: trigger.id };
  return issueToken(tokens, claims, call.head.receivedAt, { sessionId });
}

/** Who asks for a challenge: limits count all of them as one caller, the one of their tokens, or by their address. */
function callerOf({ id }: Visitors): Principal {
  return { id, permissions: none, projects: 'all' };
}

const none: Principal['permissions'] = new Set();

type VisitorRequest =
  | { readonly kind: 'read'; readonly solution: string; readonly sessionId: string }
  | { readonly kind: 'invalid'; readonly errors: readonly { readonly pointer: string; readonly message: string }[] };

const known = ['altcha', 'sessionId'];

/** @param members of which `sessionId` has its type, as in the body of a trigger */
function readRequest(members: JsonObject): VisitorRequest {
  const { altcha, sessionId } = members;
  const errors = Object.keys(members)
    .filter((name) => !known.includes(name))
    .map((name) => ({ pointer: joinPointer('', name), message: unknownMember }));
  if (typeof altcha !== 'string') errors.push({ pointer: '/altcha', message: 'must be the solution of a challenge' });
  if (typeof altcha !== 'string' || errors.length > 0) return { kind: 'invalid', errors };
  return { kind: 'read', solution: altcha, sessionId: typeof sessionId === 'string' ? sessionId : randomUUID() };
}

const unknownMember = `is unknown; known are ${known.join(', ')}`;

function forbidden(call: Call, trigger: LiveTrigger, reason: string): Reply {
  return refuse(call, { kind: 'refused', code: 'forbidden', reason }, trigger);
}

function uncached(body: JsonObject): Reply {
  return { status: 200, headers: { 'cache-control': 'no-store' }, body };
}
