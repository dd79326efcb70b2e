import { containsApiKey, namesCredential } from '../../contract/credential-names.ts';
import type { RequestHead } from '../../contract/index.ts';
import { partsOf } from '../../host/auth-list.ts';
import type { ProvisionedTrigger } from '../../host/provision-triggers.ts';

/**
 * Names of the headers that the filters and dedup of a trigger read, without those that carry credentials, and of the one by
 * which a body is read that need not be JSON.
 */
export function recordedHeaders({
  auth,
  filter,
  dedup,
  body,
}: Pick<ProvisionedTrigger, 'auth' | 'filter' | 'dedup' | 'body'>): readonly string[] {
  const ofBody = body.accept.some((kind) => kind !== 'json') ? ['content-type'] : [];
  const read = [
    ...ofBody,
    ...filter.flatMap(({ instance }) => instance.reads?.headers ?? []),
    ...(dedup?.reads?.headers ?? []),
  ];
  const secret = partsOf(auth).flatMap((part) => (part.credentials?.headers ?? []).map((name) => name.toLowerCase()));
  return [...new Set(read.map((name) => name.toLowerCase()))].filter(
    (name) => !namesCredential(name) && !secret.includes(name),
  );
}

/** The headers of a request that are recorded: none with a key of a gateway, which callers send under any name. */
export function pickHeaders(headers: RequestHead['headers'], names: readonly string[]): Record<string, string> {
  const picked: Record<string, string> = {};
  for (const name of names) {
    const value = Object.hasOwn(headers, name) ? headers[name] : undefined;
    if (value === undefined) continue;
    const text = typeof value === 'string' ? value : value.join(', ');
    if (!containsApiKey(text)) picked[name] = text;
  }
  return picked;
}
