import type { Config, StageUse, TriggerConfig } from '../config/model.ts';
import type { AuthPlugin, SentRequest, Signing, SignResult } from '../contract/index.ts';
import { deepFreeze } from '../schema/deep-freeze.ts';
import { builtinRegistry } from './builtins.ts';
import { loadPlugins } from './load-plugins.ts';
import { resolveOptions } from './options.ts';
import type { Registry } from './registry.ts';

export interface SignAs {
  /** The scheme of the `signature` plugin or the name of an auth plugin; undefined: the first of the trigger that can sign. */
  readonly scheme: string | undefined;
  /** In place of the first secret of the trigger's options. */
  readonly secret: string | undefined;
}

/** What signs, and with what; or why nothing can. */
type Signer =
  | { readonly ok: true; readonly plugin: AuthPlugin; readonly options: unknown; readonly secret: string }
  | { readonly ok: false; readonly reason: string };

/**
 * Signs a request as a sender of a trigger does.
 * @param trigger undefined: the scheme and the secret suffice
 */
export async function signRequest(
  as: SignAs,
  request: SentRequest,
  signing: Omit<Signing, 'secret'>,
  trigger?: { readonly config: Config; readonly trigger: TriggerConfig },
): Promise<SignResult> {
  const registry = builtinRegistry();
  if (trigger !== undefined) await loadPlugins(trigger.config.plugins, registry);
  const signer = (await signerIn(trigger?.trigger.auth ?? [], as, registry)) ?? (await signerOfScheme(as, registry));
  if (!signer.ok) return signer;
  const { plugin, options, secret } = signer;
  const signed = plugin.sign?.(options, request, { ...signing, secret });
  return signed ?? failed(`${plugin.name} cannot sign`);
}

/** The first auth plugin of a trigger that signs by the scheme; undefined if none does. */
async function signerIn(
  uses: readonly StageUse[],
  { scheme, secret }: SignAs,
  registry: Registry,
): Promise<Signer | undefined> {
  for (const use of uses) {
    const registered = await registry.get('auth', use.uses);
    if (registered?.plugin.stage !== 'auth' || registered.plugin.sign === undefined) continue;
    if (scheme !== undefined && scheme !== use.uses && scheme !== use.with.scheme) continue;
    const resolved = await resolveOptions(registered.options, use);
    if (resolved.unresolved === undefined) return failed('the options of its auth plugin are not valid');
    const own = secret ?? (resolved.ok ? resolved.secrets[0] : undefined);
    if (own !== undefined) return { ok: true, plugin: registered.plugin, options: resolved.unresolved, secret: own };
    return failed(resolved.ok ? needsSecret : (resolved.problems[0]?.message ?? needsSecret));
  }
  return undefined;
}

/** A scheme of the built-in plugin alone, with the defaults of its other options. */
async function signerOfScheme({ scheme, secret }: SignAs, registry: Registry): Promise<Signer> {
  if (scheme === undefined) {
    return failed('no auth of the trigger verifies signatures; leave out --sign, or name a sender: --sign github');
  }
  const registered = await registry.get('auth', 'signature');
  if (registered?.plugin.stage !== 'auth') throw new Error('the signature plugin is built in');
  const validated = registered.options.validate({ scheme });
  if (!validated.ok) return failed(`there is no scheme ${scheme}: ${validated.problems[0]?.hint ?? ''}`);
  if (secret === undefined) return failed(needsSecret);
  return { ok: true, plugin: registered.plugin, options: deepFreeze(validated.value), secret };
}

const needsSecret = 'PULLCORD_SIGNING_SECRET must hold what the sender signs with';

function failed(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}
