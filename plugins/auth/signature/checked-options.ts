import type { KeyObject } from 'node:crypto';
import { OptionsError, type OptionsFinding, type OptionsProblem } from '../../../src/contract/index.ts';
import { foreignSecret } from './foreign-secret.ts';
import { type Format, keyKindOf } from './format.ts';
import { faultsOfFormat, faultsOfHmac, signsBody } from './format-faults.ts';
import { hmacKey, publicKey, type ReadKey } from './keys.ts';
import type { Options } from './options.gen.ts';
import { formatsOf, secretPrefixes } from './presets.ts';
import { hmacVerifier, publicVerifier, type Verifier } from './verifier.ts';

/** A format with the keys of the sender. */
export interface KeyedFormat {
  readonly format: Format;
  readonly verifier: Verifier;
}

/** Makes formats with keys of the options. Throws an OptionsError with all their faults. */
export function checkOptions(options: Options, report: (finding: OptionsFinding) => void): readonly KeyedFormat[] {
  const { secrets, publicKeys } = options;
  const problems: OptionsProblem[] = [...faultsOfOptions(options)];
  const formats = formatsOf(options);
  const kinds = formats.map(keyKindOf);
  const takes = { secrets: kinds.some((kind) => kind !== 'public'), publicKeys: kinds.includes('public') };
  if (takes.secrets && secrets === undefined && (!takes.publicKeys || publicKeys === undefined)) {
    problems.push({ pointer: '', message: 'needs `secrets`', hint: 'For example secrets: [{ env: WEBHOOK_SECRET }]' });
  }
  if (!takes.secrets && takes.publicKeys && publicKeys === undefined) {
    const hint = 'It is shown where the webhook is set up.';
    problems.push({ pointer: '', message: 'needs `publicKeys`: the sender signs with a key pair', hint });
  }
  if (formats.length > 0 && !takes.secrets && secrets !== undefined) {
    const hint = 'Write its public key below publicKeys.';
    problems.push({ pointer: '/secrets', message: 'the sender shares no secret: it signs with a key pair', hint });
  }
  if (formats.length > 0 && !takes.publicKeys && publicKeys !== undefined) {
    const hint = 'Write its secret below secrets.';
    problems.push({ pointer: '/publicKeys', message: 'the sender has no public key: it shares a secret', hint });
  }
  const findings = secrets === undefined ? [] : secretFindings(options, formats);
  problems.push(...findings.filter(({ severity }) => severity === 'error').map(({ severity, ...problem }) => problem));
  const keyed = formats.flatMap((format) => withKeys(format, options, problems));
  if (problems.length > 0) throw new OptionsError(distinct(problems));
  for (const { severity, ...finding } of findings) if (severity === 'warning') report({ severity, ...finding });
  if (options.scheme === 'custom' && !formats.every(signsBody)) {
    const message = 'the body is not signed: a request that was intercepted can be sent again with another body';
    report({ severity: 'warning', pointer: '/custom', message, hint: 'Sign {body}, if the sender does.' });
  }
  return keyed;
}

function faultsOfOptions({ scheme, hmac, custom, challenge }: Options): readonly OptionsProblem[] {
  const problems: OptionsProblem[] = [];
  if (hmac !== undefined) problems.push(...faultsOfHmac(hmac));
  if (custom !== undefined) problems.push(...faultsOfFormat(custom));
  if (scheme === 'hmac' && hmac === undefined) {
    const hint = 'For example hmac: { header: x-acme-signature }';
    problems.push({ pointer: '/scheme', message: 'needs `hmac`, which says how the sender signs', hint });
  }
  if (scheme === 'custom' && custom === undefined) {
    const hint = 'For example custom: { signature: "header:x-acme-signature" }';
    problems.push({ pointer: '/scheme', message: 'needs `custom`, which says how the sender signs', hint });
  }
  for (const [name, described] of Object.entries({ hmac, custom })) {
    if (described === undefined || scheme === name) continue;
    const message = `does not apply to scheme ${scheme}, which defines its own format`;
    problems.push({ pointer: `/${name}`, message, hint: `Remove it, or write scheme: ${name}.` });
  }
  if ((challenge?.token === undefined) !== (challenge?.tokenParameter === undefined)) {
    const hint = 'Write both or neither; with neither, every challenge is answered.';
    problems.push({ pointer: '/challenge', message: 'token and tokenParameter belong together', hint });
  }
  return problems;
}

interface SecretFinding extends OptionsProblem {
  readonly severity: 'error' | 'warning';
}

function secretFindings({ scheme, secrets = [] }: Options, formats: readonly Format[]): readonly SecretFinding[] {
  const takesWebhookSecrets = formats.some(({ key }) => key === 'whsec');
  const ownPrefix = scheme === 'hmac' || scheme === 'custom' ? undefined : secretPrefixes[scheme];
  return secrets.flatMap((secret, index): SecretFinding[] => {
    const pointer = `/secrets/${index}`;
    const foreign = foreignSecret(secret, takesWebhookSecrets);
    if (foreign !== undefined) {
      return [{ severity: 'error', pointer, message: foreign.message, hint: foreign.hint }];
    }
    if (!secret.startsWith('whsec_') || takesWebhookSecrets || ownPrefix === 'whsec_') return [];
    const message = 'the secret begins with whsec_, and is taken as text, not as base64';
    const hint = 'A sender that follows Standard Webhooks needs scheme: standard-webhooks, or custom with key: whsec.';
    return [{ severity: 'warning', pointer, message, hint }];
  });
}

/** A format with its keys, or none without any, e.g. the variant of a scheme that needs a public key. */
function withKeys(format: Format, options: Options, problems: OptionsProblem[]): readonly KeyedFormat[] {
  const { secrets = [], publicKeys = [] } = options;
  const read = <Key>(texts: readonly string[], list: string, readOne: (text: string) => ReadKey<Key>): readonly Key[] =>
    texts.flatMap((text, index) => {
      const result = readOne(text);
      if (result.ok) return [result.key];
      const { ok, ...problem } = result;
      problems.push({ pointer: `/${list}/${index}`, ...problem });
      return [];
    });
  const { algorithm, key } = format;
  switch (algorithm) {
    case 'token':
      return secrets.length === 0 ? [] : [{ format, verifier: noVerifier }];
    case 'ed25519':
    case 'ecdsa-sha256':
    case 'rsa-sha256': {
      const keys = read<KeyObject>(publicKeys, 'publicKeys', (text) => publicKey(text, algorithm));
      const digest = algorithm === 'ed25519' ? null : 'sha256';
      return keys.length === 0 ? [] : [{ format, verifier: publicVerifier(digest, keys) }];
    }
    default: {
      const keys = read<Buffer>(secrets, 'secrets', (secret) => hmacKey(secret, key));
      return keys.length === 0 ? [] : [{ format, verifier: hmacVerifier(algorithm.slice('hmac-'.length), keys) }];
    }
  }
}

/** For tokens, which are compared and not verified. */
const noVerifier: Verifier = { isLength: () => false, find: () => undefined };

/** Two formats of one scheme may find the same fault of a secret. */
function distinct(problems: readonly OptionsProblem[]): readonly OptionsProblem[] {
  return [...new Map(problems.map((problem) => [`${problem.pointer} ${problem.message}`, problem])).values()];
}
