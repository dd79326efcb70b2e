import { isDeepStrictEqual } from 'node:util';
import { isLoopback } from '../../../config/link/loopback.ts';
import type { AdminConfig, Config, TriggerConfig } from '../../../config/model.ts';
import { triggerName } from '../../../config/trigger-key.ts';
import type { Snapshot } from '../../../runtime/snapshot.ts';
import { reviewedAuths } from '../../reviewed-auth.ts';
import type { Widening } from '../plan.ts';
import type { PlanSide } from '../plan-side.ts';
import { adminWidenings } from './admin-widenings.ts';
import { contentWidenings } from './content-widenings.ts';
import { keyWidenings } from './key-widenings.ts';
import { newlyTrusted, newTargets } from './networks.ts';
import { predecessors } from './renamed-triggers.ts';
import { boundsWidenings } from './storage-widenings.ts';
import { type ReviewedTrigger, triggerWidenings } from './trigger-widenings.ts';
import { warner } from './widening.ts';

/**
 * What the head opens that was closed in the base: to callers, to the network, or in what is stored of requests.
 * @param now milliseconds since the epoch: which secrets have expired
 */
export function findWidenings(base: PlanSide | undefined, head: PlanSide, now: number): readonly Widening[] {
  const keys = new Map((base?.config.apiKeys ?? []).map((key) => [key.id, key]));
  const renamed: ReturnType<typeof predecessors> = base === undefined ? new Map() : predecessors(base, head);
  const found = [
    ...(base === undefined ? [] : gatewayWidenings(base.config, head.config, now)),
    ...(base === undefined ? [] : contentWidenings(base, head)),
    ...head.config.apiKeys.flatMap((key) => keyWidenings(keys.get(key.id), key, now)),
    ...head.config.triggers.flatMap((config) => {
      const after = triggerIn(head.snapshot, config);
      const before = base && (triggerIn(base.snapshot, config) ?? renamedFrom(base.snapshot, after));
      const trigger = triggerName(config);
      return after === undefined ? [] : triggerWidenings(before, after).map((one) => ({ ...one, trigger }));
    }),
  ];
  // New keys are the most ordinary of them: where there are many, they must not hide the others.
  return found.toSorted((one, other) => Number(one.code === 'key_added') - Number(other.code === 'key_added'));

  function renamedFrom(snapshot: Snapshot, after: ReviewedTrigger | undefined): ReviewedTrigger | undefined {
    const old = after && renamed.get(after.trigger);
    return old && triggerIn(snapshot, old.config);
  }
}

function triggerIn(snapshot: Snapshot, { project, key }: TriggerConfig): ReviewedTrigger | undefined {
  const trigger = snapshot.find(project.id, key);
  if (trigger === undefined) return undefined;
  const auths = reviewedAuths(snapshot, project.id, key);
  return { trigger, config: trigger.config, bounds: snapshot.config.recordingBounds, auths };
}

function gatewayWidenings(base: Config, head: Config, now: number): readonly Widening[] {
  const server = warner(head.server.place);
  const admin = warner(head.admin.place);
  const isExposed = isLoopback(base.server.host) && !isLoopback(head.server.host);
  const isAdminExposed = isLoopback(base.admin.host) && !isLoopback(head.admin.host);
  const trusted = newlyTrusted(base.server.trustProxy, head.server.trustProxy);
  return [
    ...(isExposed
      ? [server('listener_exposed', `the public listener can be reached from other machines`, '/server/host')]
      : []),
    ...(isAdminExposed
      ? [admin('admin_exposed', 'the admin listener can be reached from other machines', '/admin/host')]
      : []),
    ...(needsToken(base.admin) && !needsToken(head.admin)
      ? [admin('admin_token_removed', 'the admin listener no longer requires a token', '/admin')]
      : []),
    ...(isTokenChanged(base.admin, head.admin)
      ? [admin('admin_token_changed', 'the admin listener accepts another token', '/admin/token')]
      : []),
    ...adminWidenings(base.admin, head.admin, now),
    ...(trusted.isEveryPeer
      ? [server('proxies_trusted', 'the public listener trusts X-Forwarded-For from any peer', '/server/trustProxy')]
      : []),
    ...(trusted.entries.length > 0 && !trusted.isEveryPeer
      ? [server('proxies_added', trustWords(trusted.entries), '/server/trustProxy')]
      : []),
    ...(newTargets(base.outboundAllow, head.outboundAllow).length > 0
      ? [server('outbound_widened', 'the gateway may call more targets that are not public', '/outbound/allow')]
      : []),
    ...boundsWidenings(base, head),
  ];
}

function needsToken({ token, tokens }: AdminConfig): boolean {
  return token !== undefined || tokens.length > 0;
}

function isTokenChanged({ token: before }: AdminConfig, { token: after }: AdminConfig): boolean {
  return before !== undefined && after !== undefined && !isDeepStrictEqual(before, after);
}

function trustWords(entries: readonly string[]): string {
  return `the public listener trusts X-Forwarded-For also from ${entries.join(', ')}`;
}
