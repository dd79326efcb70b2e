import type { ApiKeyConfig } from '../../../config/model.ts';
import type { ApiKeySecret } from '../../../contract/index.ts';
import { showExpiry } from '../key-details.ts';
import type { Widening } from '../plan.ts';
import { warner } from './widening.ts';

/**
 * What an API key opens that was closed before.
 * @param now milliseconds since the epoch: a secret that has expired by then opens nothing
 */
export function keyWidenings(before: ApiKeyConfig | undefined, key: ApiKeyConfig, now: number): readonly Widening[] {
  if (key.status === 'revoked') return [];
  const warn = warner(key.place);
  const name = `key ${key.id}`;
  const isAll = key.projects.includes('*');
  if (before === undefined) {
    const where = isAll ? 'every project, including future ones' : key.projects.join(', ');
    const triggers = key.triggers === undefined ? '' : `, only ${key.triggers.join(', ')}`;
    const origins = key.origins === undefined ? '' : `, from ${key.origins.join(', ')}`;
    const kind = key.use === 'browser' ? 'is new and public' : 'is new';
    return [
      warn('key_added', `${name} ${kind}: ${key.permissions.join(', ')} in ${where}${triggers}${origins}`, '/id'),
    ];
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
    ...reachWidenings(before, key),
    ...addedSecrets(before, key, now),
    ...extendedSecrets(before, key),
  ];
}

/** What a list that narrows a key no longer keeps out. */
function reachWidenings(before: ApiKeyConfig, key: ApiKeyConfig): readonly Widening[] {
  const warn = warner(key.place);
  const name = `key ${key.id}`;
  const newTriggers = addedTo(before.triggers, key.triggers);
  const newOrigins = addedTo(before.origins, key.origins);
  return [
    ...(before.use !== 'browser' && key.use === 'browser'
      ? [warn('key_published', `${name} is made to be public`, '/use')]
      : []),
    ...(newTriggers.length > 0
      ? [
          warn(
            'triggers_granted',
            `${name} may use ${newTriggers.join(', ').replace('everything', 'every trigger of its projects')}`,
            key.triggers ? '/triggers' : '/id',
          ),
        ]
      : []),
    ...(newOrigins.length > 0
      ? [
          warn(
            'origins_granted',
            `${name} may be used from ${newOrigins.join(', ').replace('everything', 'anywhere')}`,
            key.origins ? '/origins' : '/id',
          ),
        ]
      : []),
  ];
}

/** Without a list, there is no limit. */
function addedTo(before: readonly string[] | undefined, after: readonly string[] | undefined): readonly string[] {
  if (before === undefined) return [];
  return after === undefined ? ['everything'] : after.filter((one) => !before.includes(one));
}

/** Anyone who holds another secret is let in by it, whether it is added or replaces one. */
function addedSecrets(before: ApiKeyConfig, key: ApiKeyConfig, now: number): readonly Widening[] {
  const warn = warner(key.place);
  const isReplacing = before.secrets.some((secret) => find(key.secrets, secret) === undefined);
  return key.secrets.flatMap((secret, index) => {
    const { expiresAt = Infinity } = secret;
    if (find(before.secrets, secret) !== undefined || expiresAt <= now) return [];
    const words = isReplacing ? 'another secret in place of an old one' : 'another secret';
    return [warn('secret_added', `key ${key.id} accepts ${words}, which ${showExpiry(secret)}`, `/secrets/${index}`)];
  });
}

function extendedSecrets(before: ApiKeyConfig, key: ApiKeyConfig): readonly Widening[] {
  const warn = warner(key.place);
  return key.secrets.flatMap((secret, index) => {
    const old = find(before.secrets, secret);
    if (old?.expiresAt === undefined) return [];
    const what = `secret ${index + 1} of key ${key.id}`;
    const pointer = `/secrets/${index}`;
    if (secret.expiresAt === undefined) return [warn('expiry_removed', `${what} no longer expires`, pointer)];
    if (secret.expiresAt <= old.expiresAt) return [];
    const words = `${what} ${showExpiry(secret)}, not ${showExpiry(old).replace('expires ', '')}`;
    return [warn('expiry_extended', words, `${pointer}/expires`)];
  });
}

function find(secrets: readonly ApiKeySecret[], wanted: ApiKeySecret): ApiKeySecret | undefined {
  return secrets.find(({ sha256 }) => sha256 === wanted.sha256);
}
