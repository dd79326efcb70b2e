import type { AuthResult, MaybePromise, Permission, Principal, ProblemCode, RequestHead } from '../contract/index.ts';
import type { LiveTrigger, Snapshot } from './snapshot.ts';

/** What a request asks for, by names as the caller wrote them. */
export interface Target {
  readonly kind: 'trigger' | 'run';
  readonly projectId: string;
  readonly key: string;
}

/** A request that may go on to its body: who calls, and what. */
export interface Admission {
  readonly kind: 'admitted';
  readonly trigger: LiveTrigger;
  readonly principal: Principal;
}
export interface Refusal {
  readonly kind: 'refused';
  readonly code: ProblemCode;
  /** For the log; the caller only sees the code. */
  readonly reason: string;
}

const required: Permission = 'project.trigger';

/**
 * Decides from the head alone whether a request may go on. A caller without a valid key learns nothing; one with a
 * key cannot tell which projects outside its own exist, so those are refused before the trigger's existence matters.
 */
export function admit(snapshot: Snapshot, target: Target, head: RequestHead): MaybePromise<Admission | Refusal> {
  const trigger = snapshot.find(target.projectId, target.key);
  const auth = trigger?.auth ?? snapshot.defaultAuth;
  const result = auth.authenticate(head);
  return result instanceof Promise
    ? result.then((settled) => authorize(settled, target, trigger))
    : authorize(result, target, trigger);
}

/** Decides by who calls; what an auth plugin found out is given. */
export function authorize(result: AuthResult, target: Target, trigger: LiveTrigger | undefined): Admission | Refusal {
  if (result.kind === 'abstained') return refused('unauthorized', 'no credential');
  if (result.kind === 'rejected') return refused('unauthorized', result.reason);
  const { principal } = result;
  if (principal.projects !== 'all' && !principal.projects.has(target.projectId)) {
    return refused('forbidden', 'project not granted');
  }
  // A paused trigger takes no requests; runs that it took before can still be read and cancelled.
  if (trigger === undefined || (!trigger.isActive && target.kind === 'trigger')) {
    return refused('trigger_not_found', trigger === undefined ? 'unknown trigger' : 'paused trigger');
  }
  if (!principal.permissions.has(required)) return refused('forbidden', `permission ${required} not granted`);
  return { kind: 'admitted', trigger, principal };
}

function refused(code: ProblemCode, reason: string): Refusal {
  return { kind: 'refused', code, reason };
}
