import type { ApiKeyConfig } from '../../config/model.ts';
import type { Snapshot } from '../snapshot.ts';
import type { KeyDocument, KeysDocument } from './keys-document.gen.ts';

export interface KeyOperationsParts {
  readonly node: { readonly name: string; readonly startedAt: number };
  readonly snapshot: () => Pick<Snapshot, 'config' | 'lineOf'>;
  /** When each secret of an API key was used last, milliseconds since the epoch, by its note or place. */
  readonly usesOf: (key: string) => ReadonlyMap<string, number>;
}

/** What operators see of API keys: what they may reach, until when, and when they were used last. Never a secret or its hash. */
export class KeyOperations {
  readonly #parts: KeyOperationsParts;

  constructor(parts: KeyOperationsParts) {
    this.#parts = parts;
  }

  list(): KeysDocument {
    const { node, snapshot } = this.#parts;
    const { config, lineOf } = snapshot();
    return {
      node: node.name,
      since: new Date(node.startedAt).toISOString(),
      keys: config.apiKeys
        .map((key) => this.#describe(key, lineOf(key.place)))
        .sort((one, other) => (one.id < other.id ? -1 : 1)),
      adminTokens: config.admin.tokens.map(({ id, role, expiresAt, place }) => ({
        ...{ id, role, expiresAt: isoOrNull(expiresAt), provenance: lineOf(place) },
      })),
    };
  }

  #describe(key: ApiKeyConfig, provenance: string): KeyDocument {
    const { id, use = 'server', status, permissions, projects, triggers, origins, secrets, limits } = key;
    const uses = this.#parts.usesOf(id);
    const lastUse = uses.size === 0 ? undefined : Math.max(...uses.values());
    return {
      ...{ id, use, status, permissions: [...permissions], projects: [...projects] },
      ...(triggers !== undefined && { triggers: [...triggers] }),
      ...(origins !== undefined && { origins: [...origins] }),
      secrets: secrets.map(({ label, expiresAt }, index) => {
        const name = label ?? `secrets[${index}]`;
        return { name, expiresAt: isoOrNull(expiresAt), lastUsedAt: isoOrNull(uses.get(name)) };
      }),
      limits: limits.map(({ name }) => name),
      provenance,
      lastUsedAt: isoOrNull(lastUse),
    };
  }
}

function isoOrNull(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString();
}
