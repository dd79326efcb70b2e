import type { JWTPayload } from 'jose';
import { type Permission, type Principal, permissions, valueAtPointer } from '../../../src/contract/index.ts';
import type { Options } from './options.gen.ts';

type Source = Options['projects'] | Options['permissions'];
type Grants = Pick<Principal, 'permissions' | 'projects'>;

/** Returns the function that derives a token's grants; those common to all tokens are computed once. */
export function grantsOf({ projects, permissions }: Pick<Options, 'projects' | 'permissions'>) {
  const fixedProjects = isList(projects) ? projectsOf(projects) : undefined;
  const fixedPermissions = isList(permissions) ? permissionsOf(permissions) : undefined;
  return (claims: JWTPayload): Grants => ({
    projects: fixedProjects ?? new Set(valuesIn(claims, projects)),
    permissions: fixedPermissions ?? permissionsOf(valuesIn(claims, permissions)),
  });
}

function isList(source: Source): source is Extract<Source, readonly string[]> {
  return Array.isArray(source);
}

/** Only the config can grant all projects: a `*` in a token matches no project id. */
function projectsOf(ids: readonly string[]): Principal['projects'] {
  return ids.includes('*') ? 'all' : new Set(ids);
}

/** Tokens are issued by API keys alone: they end with their key. */
const known = permissions.filter((permission) => permission !== 'project.token');

function permissionsOf(values: readonly string[]): ReadonlySet<Permission> {
  return new Set(known.filter((permission) => values.includes(permission)));
}

function valuesIn(claims: JWTPayload, source: Source): readonly string[] {
  if (isList(source)) return source;
  const { claim, prefix = '' } = source;
  const value = claim.startsWith('/') ? valueAtPointer(claims, claim) : own(claims, claim);
  const values: readonly unknown[] = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [];
  return values.flatMap((one) => (typeof one === 'string' && one.startsWith(prefix) ? [one.slice(prefix.length)] : []));
}

function own(claims: JWTPayload, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}
