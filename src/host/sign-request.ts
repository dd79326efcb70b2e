import type { Config, StageUse, TriggerConfig } from '../config/model.ts';
import type { AuthPlugin, SentRequest, Signing, SignResult } from '../contract/index.ts';
import { deepFreeze } from '../schema/deep-freeze.ts';
import { builtinRegistry } from './builtins.ts';
import { loadPlugins } from './load-plugins.ts';
import { resolveOptions } from './options.ts';
import type { RegisteredPlugin, Registry } from './registry.ts';

export interface SignAs {
  /** The scheme of the `signature` plugin or the name of an auth plugin; undefined: the first of the trigger that can sign. */
  readonly scheme: string | undefined;
  /** In place of the first secret of the trigger's options. */
  readonly secret: string | undefined;
}

/**
 * Signs a request as a sender of a trigger does.
 * @param trigger undefined: the scheme and the secret suffice
 */
export async function signRequest(
  { scheme, secret }: SignAs,
  request: SentRequest,
  signing: Omit<Signing, 'secret'>,
  trigger?: { readonly config: Config; readonly trigger: TriggerConfig },
): Promise<SignResult> {
  const registry = builtinRegistry();
  if (trigger !== undefined) await loadPlugins(trigger.config.plugins, registry);
  for (const use of trigger?.trigger.auth ?? []) {
    const registered = await registry.get('auth', use.uses);
    if (registered?.plugin.stage !== 'auth' || registered.plugin.sign === undefined) continue;
    if (scheme !== undefined && scheme !== use.uses && scheme !== use.with.scheme) continue;
    return await signAs(registered.plugin, registered, use, secret, request, signing);
  }
  if (scheme === undefined)
    return {
      ok: false,
      reason: 'no auth of the trigger verifies signatures; leave out --sign, or name a sender: --sign github',
    };
  return signByScheme(registry, scheme, secret, request, signing);
}

async function signAs(
  plugin: AuthPlugin,
  { options }: RegisteredPlugin,
  use: StageUse,
  secret: string | undefined,
  request: SentRequest,
  signing: Omit<Signing, 'secret'>,
): Promise<SignResult> {
  const resolved = await resolveOptions(options, use);
  if (resolved.unresolved === undefined) return { ok: false, reason: 'the options of its auth plugin are not valid' };
  const own = secret ?? (resolved.ok ? resolved.secrets[0] : undefined);
  if (own === undefined) {
    return { ok: false, reason: resolved.ok ? needsSecret : (resolved.problems[0]?.message ?? needsSecret) };
  }
  return sign(plugin, resolved.unresolved, own, request, signing);
}

/** Signs by a scheme of the built-in plugin alone, with the defaults of its other options. */
async function signByScheme(
  registry: Registry,
  scheme: string,
  secret: string | undefined,
  request: SentRequest,
  signing: Omit<Signing, 'secret'>,
): Promise<SignResult> {
  const registered = await registry.get('auth', 'signature');
  if (registered?.plugin.stage !== 'auth') throw new Error('the signature plugin is built in');
  const validated = registered.options.validate({ scheme });
  if (!validated.ok) return { ok: false, reason: `there is no scheme ${scheme}: ${validated.problems[0]?.hint ?? ''}` };
  if (secret === undefined) return { ok: false, reason: needsSecret };
  return sign(registered.plugin, deepFreeze(validated.value), secret, request, signing);
}

const needsSecret = 'PULLCORD_SIGNING_SECRET must hold what the sender signs with';

function sign(
  plugin: AuthPlugin,
  options: unknown,
  secret: string,
  request: SentRequest,
  signing: Omit<Signing, 'secret'>,
): SignResult {
  const signed = plugin.sign?.(options, request, { ...signing, secret });
  return signed ?? { ok: false, reason: `${plugin.name} cannot sign` };
}
