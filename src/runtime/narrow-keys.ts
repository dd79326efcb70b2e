import type { ApiKeyConfig } from '../config/model.ts';

/** What was taken from an API key, in words. */
export interface KeyRevocation {
  readonly apiKey: string;
  readonly taken: readonly string[];
}

/**
 * Takes from the keys that serve what their files on disk no longer give them. Never adds anything: no key, secret,
 * permission or project, and no later expiry. A key without a file stays as it is: a half-finished checkout and a folder
 * that is not mounted look the same as a deletion. Limits are no rights: they change with the whole config.
 */
export function narrowKeys(serving: readonly ApiKeyConfig[], onDisk: readonly ApiKeyConfig[]): readonly ApiKeyConfig[] {
  const byId = Map.groupBy(onDisk, ({ id }) => id);
  const byFile = new Map(onDisk.map((key) => [key.place.file, key]));
  return serving.map((key) => {
    const [declared, another] = byId.get(key.id) ?? [];
    const ofItsFile = byFile.get(key.place.file);
    // Of two files with one id, or where the id is gone, the file that declared the key is what its owner edited.
    const found = declared !== undefined && another === undefined ? declared : ofItsFile;
    return found === undefined ? key : narrowKey(key, found);
  });
}

function narrowKey(key: ApiKeyConfig, declared: ApiKeyConfig): ApiKeyConfig {
  const expiries = new Map(declared.secrets.map(({ sha256, expiresAt = Infinity }) => [sha256, expiresAt]));
  const narrowed: ApiKeyConfig = {
    ...key,
    status: declared.status === 'revoked' ? 'revoked' : key.status,
    secrets: key.secrets.flatMap(({ sha256, expiresAt = Infinity, label }, index) => {
      const declaredExpiry = expiries.get(sha256);
      if (declaredExpiry === undefined) return [];
      const earlier = Math.min(expiresAt, declaredExpiry);
      return [{ sha256, expiresAt: earlier === Infinity ? undefined : earlier, label: label ?? `secrets[${index}]` }];
    }),
    permissions: key.permissions.filter((permission) => holds(declared.permissions, permission)),
    projects: narrowProjects(key.projects, declared.projects),
    triggers: narrowList(key.triggers, declared.triggers),
    origins: narrowList(key.origins, declared.origins),
  };
  return takenFrom(key, narrowed).length === 0 ? key : narrowed;
}

/** An empty list is an error in its file, and no statement about what the key may do. */
function holds(list: readonly string[], item: string): boolean {
  return list.length === 0 || list.includes(item);
}

function narrowProjects(serving: readonly string[], declared: readonly string[]): readonly string[] {
  if (declared.includes('*')) return serving;
  if (serving.includes('*')) return declared.length === 0 ? serving : declared;
  return serving.filter((project) => holds(declared, project));
}

/** Without a list, nothing is kept out. Patterns of origins are compared as they are written. */
function narrowList(
  serving: readonly string[] | undefined,
  declared: readonly string[] | undefined,
): readonly string[] | undefined {
  if (declared === undefined || declared.length === 0) return serving;
  return serving?.filter((one) => declared.includes(one)) ?? declared;
}

/** How keys differ from what they were: only those that lost something. */
export function revocations(before: readonly ApiKeyConfig[], after: readonly ApiKeyConfig[]): readonly KeyRevocation[] {
  return before.flatMap((key, index) => {
    const taken = takenFrom(key, after[index] ?? key);
    return taken.length > 0 ? [{ apiKey: key.id, taken }] : [];
  });
}

function takenFrom(before: ApiKeyConfig, after: ApiKeyConfig): readonly string[] {
  const kept = new Map(after.secrets.map(({ sha256, expiresAt }) => [sha256, expiresAt]));
  const secrets = before.secrets.flatMap(({ sha256, expiresAt }) => {
    const name = `secret sha256:${sha256.slice(0, 8)}…`;
    if (!kept.has(sha256)) return [`${name} removed`];
    return kept.get(sha256) === expiresAt ? [] : [`${name} expires earlier`];
  });
  const isLimited = before.projects.includes('*') && !after.projects.includes('*');
  return [
    ...(before.status === after.status ? [] : ['revoked']),
    ...secrets,
    ...without(before.permissions, after.permissions).map((permission) => `permission ${permission} removed`),
    ...(isLimited
      ? [`limited to ${after.projects.length === 1 ? 'project' : 'projects'} ${after.projects.join(', ')}`]
      : without(before.projects, after.projects).map((project) => `project ${project} removed`)),
    ...takenOf('trigger', before.triggers, after.triggers),
    ...takenOf('origin', before.origins, after.origins),
  ];
}

function takenOf(
  what: string,
  before: readonly string[] | undefined,
  after: readonly string[] | undefined,
): readonly string[] {
  if (before === undefined) return after === undefined ? [] : [`limited to ${what}s ${after.join(', ')}`];
  return without(before, after ?? before).map((one) => `${what} ${one} removed`);
}

function without(all: readonly string[], taken: readonly string[]): readonly string[] {
  return all.filter((item) => !taken.includes(item));
}
