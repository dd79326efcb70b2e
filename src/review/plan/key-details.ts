import type { ApiKeyConfig } from '../../config/model.ts';
import type { ApiKeySecret } from '../../contract/index.ts';
import type { Place } from '../../diagnostics/problem.ts';
import { counted } from '../words.ts';
import { compareValue } from './compare-uses.ts';
import { limitDetails } from './limit-details.ts';
import type { StructureDetail } from './plan.ts';

/** What changes in an API key; secrets are named by their position in the list, and never shown. */
export function keyDetails(before: ApiKeyConfig | undefined, after: ApiKeyConfig): readonly StructureDetail[] {
  const { place } = after;
  const list = (values: unknown) => (values as readonly string[] | undefined)?.join(', ');
  return [
    ...(before === undefined && after.status === 'active'
      ? []
      : compareValue('status', before?.status, after.status, place)),
    ...compareValue('permissions', sorted(before?.permissions), sorted(after.permissions), place, list),
    ...compareValue('use', before?.use ?? 'server', after.use ?? 'server', place),
    ...compareValue('projects', sorted(before?.projects), sorted(after.projects), place, list),
    ...compareValue('triggers', sorted(before?.triggers), sorted(after.triggers), place, list),
    ...compareValue('origins', sorted(before?.origins), sorted(after.origins), place, list),
    ...limitDetails(before, after),
    ...compareSecrets(before?.secrets ?? [], after.secrets, place),
  ];
}

function sorted(values: readonly string[] | undefined): readonly string[] | undefined {
  return values?.toSorted();
}

function compareSecrets(
  before: readonly ApiKeySecret[],
  after: readonly ApiKeySecret[],
  place: Place,
): readonly StructureDetail[] {
  const find = (secrets: readonly ApiKeySecret[], wanted: ApiKeySecret) =>
    secrets.find(({ sha256 }) => sha256 === wanted.sha256);
  const removed = before.filter((secret) => find(after, secret) === undefined).length;
  return [
    ...after.flatMap((secret, index): StructureDetail[] => {
      const what = `secret ${index + 1}`;
      const at = { ...place, pointer: `/secrets/${index}` };
      const old = find(before, secret);
      if (old === undefined) return [{ what, before: undefined, after: showExpiry(secret), place: at }];
      return old.expiresAt === secret.expiresAt
        ? []
        : [{ what, before: showExpiry(old), after: showExpiry(secret), place: at }];
    }),
    ...(removed === 0 ? [] : [{ what: 'old secrets', before: counted(removed, 'secret'), after: 'removed', place }]),
  ];
}

/** When a secret expires; only the day if that is exact. */
export function showExpiry({ expiresAt }: ApiKeySecret): string {
  if (expiresAt === undefined) return 'never expires';
  return `expires ${new Date(expiresAt).toISOString().replace(/T00:00:00\.000Z$/, '')}`;
}
