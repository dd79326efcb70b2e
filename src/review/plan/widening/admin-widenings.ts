import type { AdminConfig, AdminTokenConfig } from '../../../config/model.ts';
import type { Widening } from '../plan.ts';
import { warner } from './widening.ts';

/**
 * Whom the admin listener lets in, or lets do more.
 * @param now milliseconds since the epoch: a token that has expired by then opens nothing
 */
export function adminWidenings(before: AdminConfig, after: AdminConfig, now: number): readonly Widening[] {
  const warn = warner(after.place);
  const known = new Map(before.tokens.map((token) => [token.id, token]));
  const newHosts = after.hosts.filter((name) => !before.hosts.includes(name));
  return [
    ...after.tokens.flatMap((token) => tokenWidenings(known.get(token.id), token, now)),
    ...(newHosts.length > 0
      ? [warn('admin_hosts_added', `the admin listener also answers as ${newHosts.join(', ')}`, '/admin/hosts')]
      : []),
  ];
}

function tokenWidenings(
  before: AdminTokenConfig | undefined,
  { id, role, sha256, expiresAt = Infinity, place }: AdminTokenConfig,
  now: number,
): readonly Widening[] {
  if (expiresAt <= now) return [];
  const warn = warner(place);
  const name = `admin token ${id}`;
  const at = (member: string) => `${place.pointer}/${member}`;
  if (before === undefined) return [warn('admin_token_added', `${name} is new, with the role ${role}`, at('id'))];
  return [
    ...(before.role === 'read' && role === 'operate'
      ? [
          warn(
            'admin_role_raised',
            `${name} may also cancel, replay, fire, reload and reset: its role is operate`,
            at('role'),
          ),
        ]
      : []),
    ...(before.sha256 === sha256
      ? []
      : [warn('admin_token_changed', `${name} is another token: who has the new one is let in`, at('hash'))]),
    ...(before.expiresAt !== undefined && expiresAt > before.expiresAt
      ? [
          warn(
            'admin_expiry_extended',
            `${name} ${expiresAt === Infinity ? 'no longer expires' : 'expires later'}`,
            place.pointer,
          ),
        ]
      : []),
  ];
}
