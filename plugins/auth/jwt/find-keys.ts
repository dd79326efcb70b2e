import { type AuthPluginContext, OptionsError, type OutboundClient } from '../../../src/contract/index.ts';
import { parsePublicKey } from './local-key.ts';
import type { Options } from './options.gen.ts';
import { remoteKeys } from './remote-keys.ts';
import type { Keys } from './verify-token.ts';

const largestKeySetBytes = 256 * 1024;

/** The keys that the options name: a key set at a URL, or a local public key. Throws an OptionsError. */
export function findKeys(context: AuthPluginContext, { jwksUrl, publicKey, algorithms }: Options): Keys {
  if ((jwksUrl === undefined) === (publicKey === undefined)) {
    throw refusal('', 'needs exactly one of jwksUrl and publicKey');
  }
  if (publicKey === undefined) {
    const url = new URL(String(jwksUrl));
    const client = context.outbound({ connections: 2, maxResponseBytes: largestKeySetBytes });
    warnOf(url, client, context);
    return { find: remoteKeys(url, client, context.log), algorithms };
  }
  const parsed = parsePublicKey(publicKey);
  if (!parsed.ok) throw refusal('/publicKey', parsed.fault);
  const usable = algorithms.filter((algorithm) => parsed.algorithms.includes(algorithm));
  if (usable.length === 0) throw refusal('/algorithms', `the key supports ${parsed.algorithms.join(', ')} only`);
  return { find: () => parsed.key, algorithms: usable };
}

function warnOf(url: URL, client: OutboundClient, context: AuthPluginContext): void {
  const warn = (message: string, hint: string) =>
    context.report({ severity: 'warning', pointer: '/jwksUrl', message, hint });
  if (url.protocol === 'http:' && !isThisMachine(url)) {
    warn('is not https: anyone who can tamper with the response can forge tokens', 'Write https://.');
  }
  if (client.forbids(url)) {
    const hint = `If it is intended, allow it in gateway.yaml: outbound: { allow: ["${url.host}"] }.`;
    warn('is not a public address, so the keys cannot be fetched (SSRF protection)', hint);
  }
}

function isThisMachine({ hostname }: URL): boolean {
  return hostname === 'localhost' || /^127\.|^\[::1\]$/.test(hostname);
}

function refusal(pointer: string, message: string): OptionsError {
  return new OptionsError([{ pointer, message }]);
}
