import { randomUUID } from 'node:crypto';
import type { StageUse } from '../config/model.ts';
import type { Auth } from '../contract/index.ts';
import { createInstance, type Surroundings } from './create-instance.ts';
import { runClosers } from './instance-pool.ts';
import { resolveOptions } from './options.ts';
import type { RegisteredPlugin } from './registry.ts';

/**
 * Stands in, in a review, for an auth plugin whose secrets are missing: it knows nobody, and says of its callers what
 * the plugin says. For that the plugin is created with random texts for secrets, and closed at once; no credential is
 * ever checked against them.
 */
export async function authWithoutSecrets(
  { plugin, options }: RegisteredPlugin,
  use: StageUse,
  surroundings: Surroundings,
): Promise<Auth> {
  const authenticate: Auth['authenticate'] = () => ({ kind: 'abstained' });
  const resolved = await resolveOptions(options, use, async () => ({ ok: true, value: randomUUID() }));
  if (!resolved.ok) return { authenticate };
  const created = await createInstance(plugin, use, resolved, surroundings);
  if (!created.ok) return { authenticate };
  const { value, closers } = created.instance;
  try {
    const review = (value as Auth).review?.();
    return { authenticate, ...(review && { review: () => review }) };
  } finally {
    await runClosers(closers, (err) =>
      surroundings.log.error({ err, plugin: plugin.name }, 'a plugin failed to close'),
    );
  }
}
