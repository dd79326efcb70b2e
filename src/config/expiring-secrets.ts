import type { Config } from './model.ts';

/** A secret of an API key that can be used until then. */
export interface ExpiringSecret {
  /** Id of its key. */
  readonly key: string;
  readonly projects: readonly string[];
  /** Its place in `secrets`. */
  readonly index: number;
  /** Its note, or else its place: secrets of a key may share one. */
  readonly label: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** The secrets of active API keys that expire, those first that do so first. */
export function expiringSecrets({ apiKeys }: Pick<Config, 'apiKeys'>): readonly ExpiringSecret[] {
  return apiKeys
    .filter(({ status }) => status === 'active')
    .flatMap(({ id: key, projects, secrets }) =>
      secrets.flatMap(({ expiresAt, label }, index) =>
        expiresAt === undefined ? [] : [{ key, projects, index, label: label ?? `secrets[${index}]`, expiresAt }],
      ),
    )
    .sort((one, other) => one.expiresAt - other.expiresAt);
}
