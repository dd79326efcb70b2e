import { generateKeyPairSync } from 'node:crypto';
import signature from '../../plugins/auth/signature/index.ts';
import type { Options } from '../../plugins/auth/signature/options.gen.ts';
import type { PresetName } from '../../plugins/auth/signature/presets.ts';
import type { MaybePromise, SentRequest } from '../../src/contract/index.ts';
import type { Payload } from './corpus.ts';

/** A sender, and the trigger that it fires. */
export interface Sender {
  /** Names its payloads. */
  readonly name: string;
  /** The key of its trigger: the name, unless the sender signs in several ways. */
  readonly key: string;
  /** What the trigger has beside its run. */
  readonly trigger: object;
  /** The secret in the file to which the trigger refers. */
  readonly secret?: string;
  /** The headers of a payload. */
  readonly headers: (payload: Payload) => Headers;
  /** @param isForged signs as somebody who does not know the secret */
  readonly sign: (request: SentRequest, isForged: boolean) => MaybePromise<SentRequest>;
}

type Headers = Readonly<Record<string, string>>;
type Custom = NonNullable<Options['custom']>;

interface Traits {
  readonly key?: string;
  /** Makes the secret that the sender issues of a text. */
  readonly issue?: (text: string) => string;
  readonly headers?: Sender['headers'];
  /** Returns what the sender's own library adds to a request. */
  readonly sign?: (secret: string, request: SentRequest) => MaybePromise<Partial<SentRequest>>;
  readonly custom?: Custom;
  readonly trigger?: object;
}

const asItIs = (text: string) => text;
const none = () => ({});

/** A sender with a shared secret. Without a library of its own, the plugin signs. */
export function secretSender(name: string, scheme: Options['scheme'], traits: Traits = {}): Sender {
  const { key = name, issue = asItIs, headers = none, sign, custom, trigger } = traits;
  const secret = issue('the secret that both know');
  const options = { scheme, ...(custom && { custom }) };
  return {
    ...{ name, key, secret, headers },
    trigger: { auth: { uses: 'signature', with: { ...options, secrets: [{ file: secretFile(key) }] } }, ...trigger },
    async sign(request, isForged) {
      const known = isForged ? issue('a secret that nobody knows') : secret;
      if (sign === undefined) return signedByPlugin(options, known, request);
      const { headers: added, ...others } = await sign(known, request);
      return { ...request, ...others, headers: { ...request.headers, ...added } };
    },
  };
}

export function secretFile(key: string): string {
  return `${key}.secret`;
}

/** A sender with a key pair. */
export function pairSender(scheme: PresetName, type: 'ed25519' | 'ec'): Sender {
  const [own, another] = [keyPair(type), keyPair(type)];
  const publicKeys = [own.publicKey];
  return {
    ...{ name: scheme, key: scheme, headers: none },
    trigger: { auth: { uses: 'signature', with: { scheme, publicKeys } } },
    sign: (request, isForged) => signedByPlugin({ scheme }, (isForged ? another : own).privateKey, request),
  };
}

function keyPair(type: 'ed25519' | 'ec') {
  const publicKeyEncoding = { format: 'pem', type: 'spki' } as const;
  const privateKeyEncoding = { format: 'pem', type: 'pkcs8' } as const;
  return type === 'ec'
    ? generateKeyPairSync(type, { namedCurve: 'prime256v1', publicKeyEncoding, privateKeyEncoding })
    : generateKeyPairSync(type, { publicKeyEncoding, privateKeyEncoding });
}

function signedByPlugin(options: Pick<Options, 'scheme' | 'custom'>, secret: string, request: SentRequest) {
  const result = signature.sign({ tolerance: 300_000, ...options }, request, { secret, at: Date.now() });
  if (!result.ok) throw new Error(`${options.scheme}: ${result.reason}`);
  return result.request;
}
