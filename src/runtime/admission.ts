import { triggerId } from '../config/trigger-key.ts';
import type {
  Auth,
  AuthResult,
  AuthVerdict,
  BodyMembers,
  BodyReply,
  MaybePromise,
  Permission,
  Principal,
  ProblemCode,
  RequestHead,
  SenderEvent,
} from '../contract/index.ts';
import { OriginSet } from './origin-set.ts';
import { assertHandshakeReply } from './reply.ts';
import type { LiveTrigger, Snapshot } from './snapshot.ts';

/** What a request addresses, by names as the caller wrote them. */
export interface Target {
  readonly kind: 'trigger' | 'token' | 'run' | 'completion';
  readonly projectId: string;
  readonly key: string;
}

/** The request may go on: who calls, and which trigger. */
export interface Admission {
  readonly kind: 'admitted';
  readonly trigger: LiveTrigger;
  readonly principal: Principal;
  /** How the sender of a webhook describes its event. */
  readonly event?: SenderEvent;
}
export interface Refusal {
  readonly kind: 'refused';
  readonly code: ProblemCode;
  /** For the log; the caller only sees the code. */
  readonly reason: string;
  /** The addressed trigger, if it exists: for the log too. */
  readonly trigger?: LiveTrigger | undefined;
}
/** A sender verifies the address of an active trigger. */
export interface Handshake {
  readonly kind: 'handshake';
  readonly trigger: LiveTrigger;
  readonly reply: BodyReply;
}
export type Decision = Admission | Refusal | Handshake;

/** The headers do not identify the caller: a signature over the body does. */
export interface BodyNeeded {
  readonly kind: 'needs_body';
  readonly trigger: LiveTrigger | undefined;
  decide(body: Uint8Array, members?: BodyMembers): Promise<Decision>;
}

/** What a caller must be allowed to do. */
const required = {
  trigger: 'project.trigger',
  run: 'project.trigger',
  completion: 'project.trigger',
  token: 'project.token',
} as const satisfies Record<Target['kind'], Permission>;

/**
 * Decides whether a request may go on, from its headers alone where they identify the caller. A caller without a valid
 * credential learns nothing. One with a credential cannot find out which other projects exist: it is refused before the
 * existence of the trigger matters.
 */
export function decideByHead(
  snapshot: Snapshot,
  target: Target,
  head: RequestHead,
): MaybePromise<Decision | BodyNeeded> {
  const trigger = snapshot.find(target.projectId, target.key);
  const auth = trigger?.auth ?? snapshot.defaultAuth;
  const result = auth.authenticate(head);
  if (!(result instanceof Promise) && result.kind === 'authenticated') return admit(result, target, trigger, head);
  const fallback = auth === snapshot.defaultAuth ? undefined : snapshot.defaultAuth;
  return decide(result, { target, trigger, head, fallback });
}

interface Asked {
  readonly target: Target;
  readonly trigger: LiveTrigger | undefined;
  readonly head: RequestHead;
  /** The default auth, if the trigger has another one. */
  readonly fallback: Auth | undefined;
}

async function decide(result: MaybePromise<AuthResult>, asked: Asked): Promise<Decision | BodyNeeded> {
  const settled = await result;
  if (settled.kind !== 'needs_body') return decideBy(settled, asked);
  const { trigger } = asked;
  return {
    kind: 'needs_body',
    trigger,
    decide: async (body, members) => decideBy(await settled.verify(body, members), asked),
  };
}

/** A caller that only the default auth knows, without access to this project, gets the same answer for every trigger there. */
async function decideBy(verdict: AuthVerdict, { target, trigger, head, fallback }: Asked): Promise<Decision> {
  const decision = decisionOf(verdict, target, trigger, head);
  if (fallback === undefined || decision.kind !== 'refused' || decision.code !== 'unauthorized') return decision;
  const known = await fallback.authenticate(head);
  if (known.kind !== 'authenticated') return decision;
  const elsewhere = authorize(known.principal, target, undefined, head);
  return elsewhere.kind === 'refused' && elsewhere.code === 'forbidden' ? elsewhere : decision;
}

function decisionOf(
  verdict: AuthVerdict,
  target: Target,
  trigger: LiveTrigger | undefined,
  head: RequestHead,
): Decision {
  switch (verdict.kind) {
    case 'authenticated':
      return admit(verdict, target, trigger, head);
    case 'abstained':
      return refused('unauthorized', 'no credential', trigger);
    case 'rejected':
      return refused('unauthorized', verdict.reason, trigger);
    case 'unavailable':
      return refused('unavailable', verdict.reason, trigger);
    case 'handshake':
      if (target.kind !== 'trigger') return refused('unauthorized', 'handshake at the address of a run', trigger);
      if (trigger === undefined || !trigger.isActive) return notFound(trigger);
      assertHandshakeReply(verdict.reply);
      return { kind: 'handshake', trigger, reply: verdict.reply };
  }
}

type Authenticated = Extract<AuthVerdict, { kind: 'authenticated' }>;

function admit(
  { principal, event }: Authenticated,
  target: Target,
  trigger: LiveTrigger | undefined,
  head: RequestHead,
): Decision {
  const decision = authorize(principal, target, trigger, head);
  return event === undefined || decision.kind === 'refused' ? decision : { ...decision, event };
}

/** Decides whether a caller may use a trigger or its runs. */
export function authorize(
  principal: Principal,
  target: Target,
  trigger: LiveTrigger | undefined,
  head: Pick<RequestHead, 'headers' | 'receivedAt'>,
): Admission | Refusal {
  if (principal.token !== undefined && head.receivedAt >= principal.token.expiresAt) {
    return refused('forbidden', 'expired token', trigger);
  }
  if (principal.projects !== 'all' && !principal.projects.has(target.projectId)) {
    return refused('forbidden', 'project not granted', trigger);
  }
  if (principal.triggers?.has(triggerId(target.projectId, target.key)) === false) {
    return refused('forbidden', 'trigger not granted', trigger);
  }
  if (principal.origins !== undefined && !mayCallFrom(principal.origins, originOf(head))) {
    return refused('forbidden', 'origin not granted', trigger);
  }
  const permission = required[target.kind];
  const mayAsk = principal.permissions.has(permission);
  // Before the trigger matters: who issues no tokens learns nothing here.
  if (!mayAsk && target.kind === 'token') return refused('forbidden', `permission ${permission} not granted`, trigger);
  // A paused trigger accepts no requests; its earlier runs can still be read and cancelled.
  if (trigger === undefined || (!trigger.isActive && (target.kind === 'trigger' || target.kind === 'token'))) {
    return notFound(trigger);
  }
  if (!mayAsk) return refused('forbidden', `permission ${permission} not granted`, trigger);
  return { kind: 'admitted', trigger, principal };
}

function notFound(trigger: LiveTrigger | undefined): Refusal {
  return refused('trigger_not_found', trigger === undefined ? 'unknown trigger' : 'paused trigger', trigger);
}

function refused(code: ProblemCode, reason: string, trigger: LiveTrigger | undefined): Refusal {
  return { kind: 'refused', code, reason, trigger };
}

/** The origin of the page that a request comes from; undefined if it comes from none, or names several. */
function originOf({ headers }: Pick<RequestHead, 'headers'>): string | undefined {
  return typeof headers.origin === 'string' ? headers.origin : undefined;
}

/** Lists of origins outlive the requests that are judged by them. */
const originSets = new WeakMap<readonly string[], OriginSet>();

/** Whether an origin is among these patterns. */
export function mayCallFrom(origins: readonly string[], origin: string | undefined): boolean {
  const known = originSets.get(origins) ?? new OriginSet(origins);
  originSets.set(origins, known);
  return origin !== undefined && known.has(origin);
}
