import { isLoopback } from '../../config/link/loopback.ts';
import type { ApiKeyConfig, Config, NamedUse, StageUse, TriggerConfig } from '../../config/model.ts';
import { triggerId, triggerName } from '../../config/trigger-key.ts';
import type { DiagnosticCode } from '../../diagnostics/codes.ts';
import type { Place } from '../../diagnostics/problem.ts';
import { oneLine } from '../words.ts';
import { isOpen } from './access.ts';
import { isSameUse } from './compare-uses.ts';
import { showExpiry } from './key-details.ts';
import type { Widening } from './plan.ts';

/** What the head opens that was closed in the base: for callers, to the network, or for what is kept of requests. */
export function findWidenings(base: Config | undefined, head: Config): readonly Widening[] {
  const keys = new Map((base?.apiKeys ?? []).map((key) => [key.id, key]));
  const triggers = new Map((base?.triggers ?? []).map((trigger) => [idOf(trigger), trigger]));
  const found = [
    ...(base === undefined ? [] : gatewayWidenings(base, head)),
    ...head.apiKeys.flatMap((key) => keyWidenings(keys.get(key.id), key)),
    ...head.triggers.flatMap((trigger) => triggerWidenings(triggers.get(idOf(trigger)), trigger)),
  ];
  // A new key is the most ordinary of them: where there are many, it is not to hide the others.
  return found.toSorted((one, other) => Number(one.code === 'key_added') - Number(other.code === 'key_added'));
}

function idOf({ project, key }: TriggerConfig): string {
  return triggerId(project.id, key);
}

function keyWidenings(before: ApiKeyConfig | undefined, key: ApiKeyConfig): readonly Widening[] {
  if (key.status === 'revoked') return [];
  const warn = warner(key.place);
  const name = `key ${key.id}`;
  const isAll = key.projects.includes('*');
  if (before === undefined) {
    const where = isAll ? 'every project, those to come included' : key.projects.join(', ');
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
      ? [warn('all_projects', `${name} may use every project, those to come included`, '/projects')]
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
      if (secret.expiresAt === undefined) return [warn('expiry_removed', `${what} never expires any more`, pointer)];
      if (secret.expiresAt <= old.expiresAt) return [];
      const words = `${what} ${showExpiry(secret)}, not ${showExpiry(old).replace('expires ', '')}`;
      return [warn('expiry_extended', words, `${pointer}/expires`)];
    }),
  ];
}

function triggerWidenings(before: TriggerConfig | undefined, trigger: TriggerConfig): readonly Widening[] {
  const name = `trigger ${triggerName(trigger)}`;
  const opened = before !== undefined && isOpen(before.auth) ? [] : trigger.auth.filter(({ uses }) => uses === 'none');
  const open = opened.map(({ place }) => widening('auth_none', `${name} lets everyone in`, place));
  if (before === undefined) return open;
  const { place } = trigger;
  const unmasked = before.record.mask.filter((pointer) => !trigger.record.mask.includes(pointer));
  const unmaskedRecordings = (before.recording?.mask ?? []).filter(
    (pointer) => trigger.recording !== undefined && !trigger.recording.mask.includes(pointer),
  );
  const removed = trigger.filter.length === 0 ? [] : before.filter.filter((filter) => !isKept(filter, trigger));
  return [
    ...(before.status === 'paused' && trigger.status === 'active'
      ? [widening('trigger_activated', `${name} was paused and takes requests again`, place)]
      : []),
    ...open,
    ...changedAuth(before.auth, trigger.auth).map(({ words, place }) =>
      widening('auth_changed', `${name} knows callers by ${words}`, place),
    ),
    ...(before.dedup !== undefined && trigger.dedup === undefined
      ? [widening('dedup_off', `${name} takes the same request again: its dedup is gone`, place)]
      : []),
    ...(before.filter.length > 0 && trigger.filter.length === 0
      ? [widening('filters_gone', `${name} takes every request: its filters are gone`, place)]
      : []),
    ...removed.map((filter) =>
      widening('filter_removed', `${name} has its filter "${oneLine(filter.name)}" no more`, place),
    ),
    ...[...new Set([...unmasked, ...unmaskedRecordings])].map((pointer) =>
      widening('mask_removed', `${name} stores ${pointer} unmasked`, place),
    ),
  ];
}

/**
 * What knows callers that were not known before, as far as the config tells: a plugin that was not asked, or that has other
 * options. Those of api-key say only where the key stands, and who is let in by none is told by itself.
 */
function changedAuth(before: readonly StageUse[], after: readonly StageUse[]) {
  const changed = after.filter((use) => use.uses !== 'none' && !before.some((old) => isSameUse(old, use)));
  return changed.flatMap((use) => {
    const isNew = !before.some(({ uses }) => uses === use.uses);
    if (!isNew && use.uses === 'api-key') return [];
    return [{ words: isNew ? `auth ${use.uses}` : `other options of auth ${use.uses}`, place: use.place }];
  });
}

/** A filter that has another name, and the same options, is still there. */
function isKept(filter: NamedUse, trigger: TriggerConfig): boolean {
  return trigger.filter.some((one) => one.name === filter.name || isSameUse(one, filter));
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
      ? [admin('admin_token_removed', 'the admin listener asks for no token any more', '/admin')]
      : []),
    ...(trustsAll
      ? [server('proxies_trusted', 'X-Forwarded-For is believed, whoever sends it', '/server/trustProxy')]
      : []),
    ...(isOutboundWider
      ? [server('outbound_widened', 'more targets that are not public may be called', '/outbound/allow')]
      : []),
  ];
}

function warner({ file }: Place): (code: DiagnosticCode, message: string, pointer: string) => Widening {
  return (code, message, pointer) => widening(code, message, { file, pointer });
}

function widening(code: DiagnosticCode, message: string, place: Place): Widening {
  return { code, message, place };
}
