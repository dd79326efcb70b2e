import { stringify } from 'yaml';
import type { Permission } from '../contract/index.ts';
import { createSecret, digestOf, type KeyUse } from './key-secret.ts';

export interface ApiKeyGrant {
  readonly id: string;
  readonly permissions: readonly Permission[];
  readonly projects: readonly string[];
  readonly use?: KeyUse | undefined;
  readonly origins?: readonly string[] | undefined;
  readonly triggers?: readonly string[] | undefined;
  /** A date or a time, as written in the file. */
  readonly expires?: string | undefined;
}

export interface NewApiKey {
  /** To be shown once and stored nowhere. */
  readonly secret: string;
  readonly document: object;
  /** The text of `keys/<id>.yaml`, which contains only a hash of the secret. */
  readonly yaml: string;
}

/** Anyone can use a key of a page: one visitor must not keep out others, nor all together run up a bill. */
const limitsOfPages = [{ requests: '60/1m', per: 'ip' }, { runs: '1000/1d' }];

/** Makes an API key with a fresh secret. */
export function newApiKey({ id, permissions, projects, use, origins, triggers, expires }: ApiKeyGrant): NewApiKey {
  const secret = createSecret(use);
  const document = {
    version: 1,
    kind: 'ApiKey',
    id,
    ...(use === 'browser' && { use }),
    ...(origins && { origins }),
    ...(triggers && { triggers }),
    secrets: [{ hash: `sha256:${digestOf(secret)}`, ...(expires !== undefined && { expires }) }],
    permissions,
    projects,
    ...(use === 'browser' && { limits: limitsOfPages }),
    status: 'active',
  };
  const yaml = `# yaml-language-server: $schema=../../schemas/api-key.schema.json\n${stringify(document)}`;
  return { secret, document, yaml };
}

/** Printed with a secret, which is the only time that it is shown. */
export const secretNotice =
  'The secret of the new key. It is shown this once and stored nowhere: hand it to the caller now.';
