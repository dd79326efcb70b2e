import { isLoopback } from '../../config/link/loopback.ts';
import type { ApiKeyConfig, Config, TriggerConfig } from '../../config/model.ts';
import type { DiagnosticCode } from '../../diagnostics/codes.ts';
import type { Place } from '../../diagnostics/problem.ts';
import type { Snapshot } from '../../runtime/snapshot.ts';
import { reviewedAuths } from '../reviewed-auth.ts';
import { showExpiry } from './key-details.ts';
import type { Widening } from './plan.ts';
import { type ReviewedTrigger, triggerWidenings, widening } from './trigger-widening.ts';

/** What the head opens that was closed in the base: to callers, to the network, or in what is stored of requests. */
export function findWidenings(base: Snapshot | undefined, head: Snapshot): readonly Widening[] {
  const keys = new Map((base?.config.apiKeys ?? []).map((key) => [key.id, key]));
  const found = [
    ...(base === undefined ? [] : gatewayWidenings(base.config, head.config)),
    ...head.config.apiKeys.flatMap((key) => keyWidenings(keys.get(key.id), key)),
    ...head.config.triggers.flatMap((config) => {
      const after = { config, auths: reviewedAuths(head, config.project.id, config.key) };
      return triggerWidenings(base && triggerIn(base, config), after);
    }),
  ];
  // New keys are the most ordinary of them: where there are many, they must not hide the others.
  return found.toSorted((one, other) => Number(one.code === 'key_added') - Number(other.code === 'key_added'));
}

function triggerIn(snapshot: Snapshot, { project, key }: TriggerConfig): ReviewedTrigger | undefined {
  const config = snapshot.find(project.id, key)?.config;
  return config && { config, auths: reviewedAuths(snapshot, project.id, key) };
}

function keyWidenings(before: ApiKeyConfig | undefined, key: ApiKeyConfig): readonly Widening[] {
  if (key.status === 'revoked') return [];
  const warn = warner(key.place);
  const name = `key ${key.id}`;
  const isAll = key.projects.includes('*');
  if (before === undefined) {
    const where = isAll ? 'every project, including future ones' : key.projects.join(', ');
    return [warn('key_added', `${name} is new: ${key.permissions.join(', ')} in ${where}`, '/id')];
  }
  const wasAll = before.projects.includes('*');
  const newProjects = wasAll || isAll ? [] : key.projects.filter((id) => !before.projects.includes(id));
  const newPermissions = key.permissions.filter((permission) => !before.permissions.includes(permission));
  return [
    ...(before.status === 'revoked'
      ? [warn('key_reactivated', `${name} was revoked and is active again`, '/status')]
      : []),
    ...(isAll && !wasAll
      ? [warn('all_projects', `${name} may use every project, including future ones`, '/projects')]
      : []),
    ...newProjects.map((id) => warn('project_granted', `${name} may use project ${id}`, '/projects')),
    ...newPermissions.map((permission) =>
      warn('permission_granted', `${name} is granted ${permission}`, '/permissions'),
    ),
    ...key.secrets.flatMap((secret, index) => {
      const old = before.secrets.find(({ sha256 }) => sha256 === secret.sha256);
      if (old?.expiresAt === undefined) return [];
      const what = `secret ${index + 1} of ${name}`;
      const pointer = `/secrets/${index}`;
      if (secret.expiresAt === undefined) return [warn('expiry_removed', `${what} no longer expires`, pointer)];
      if (secret.expiresAt <= old.expiresAt) return [];
      const words = `${what} ${showExpiry(secret)}, not ${showExpiry(old).replace('expires ', '')}`;
      return [warn('expiry_extended', words, `${pointer}/expires`)];
    }),
  ];
}

function gatewayWidenings(base: Config, head: Config): readonly Widening[] {
  const server = warner(head.server.place);
  const admin = warner(head.admin.place);
  const isExposed = isLoopback(base.server.host) && !isLoopback(head.server.host);
  const isAdminExposed = isLoopback(base.admin.host) && !isLoopback(head.admin.host);
  const old = new Set(base.outboundAllow.map((target) => JSON.stringify(target)));
  const isOutboundWider = head.outboundAllow.some((target) => !old.has(JSON.stringify(target)));
  const trustsAll = head.server.trustProxy === true && base.server.trustProxy !== true;
  return [
    ...(isExposed
      ? [server('listener_exposed', `the public listener can be reached from other machines`, '/server/host')]
      : []),
    ...(isAdminExposed
      ? [admin('admin_exposed', 'the admin listener can be reached from other machines', '/admin/host')]
      : []),
    ...(base.admin.token !== undefined && head.admin.token === undefined
      ? [admin('admin_token_removed', 'the admin listener no longer requires a token', '/admin')]
      : []),
    ...(trustsAll
      ? [server('proxies_trusted', 'the public listener trusts X-Forwarded-For from any peer', '/server/trustProxy')]
      : []),
    ...(isOutboundWider
      ? [server('outbound_widened', 'the gateway may call more targets that are not public', '/outbound/allow')]
      : []),
  ];
}

function warner({ file }: Place): (code: DiagnosticCode, message: string, pointer: string) => Widening {
  return (code, message, pointer) => widening(code, message, { file, pointer });
}
