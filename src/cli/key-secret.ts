import { hash, randomInt } from 'node:crypto';
import { crc32 } from 'node:zlib';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** `browser`: made to be public. */
export type KeyUse = 'server' | 'browser';

const prefixes: Readonly<Record<KeyUse | 'admin', string>> = { server: 'pc_', browser: 'pcb_', admin: 'pca_' };
/** 30 letters of 62 carry 178 random bits; a CRC-32 needs 6. */
const randomLength = 30;
const checksumLength = 6;

/** `pc_`, `pcb_` or `pca_`, 30 random letters and digits, 6 of checksum: secret scanners can recognize it, and a mistyped one. */
export const secretPattern = new RegExp(`^pc[ab]?_[0-9A-Za-z]{${randomLength + checksumLength}}$`);

/** Makes the secret of a new API key, or of a new token of the admin listener. */
export function createSecret(use: KeyUse | 'admin' = 'server'): string {
  const random = Array.from({ length: randomLength }, () => alphabet[randomInt(alphabet.length)]).join('');
  return `${prefixes[use]}${random}${checksum(random)}`;
}

/** Whether a text has the form of a secret that `createSecret` made, its checksum included. */
export function isWellFormed(secret: string): boolean {
  const random = secret.slice(secret.indexOf('_') + 1, -checksumLength);
  return secretPattern.test(secret) && secret.endsWith(checksum(random));
}

/** The form of a secret in YAML: its SHA-256 in hex. */
export function digestOf(secret: string): string {
  return hash('sha256', secret);
}

function checksum(random: string): string {
  let rest = crc32(random);
  let text = '';
  for (let index = 0; index < checksumLength; index += 1) {
    text = `${alphabet[rest % alphabet.length]}${text}`;
    rest = Math.floor(rest / alphabet.length);
  }
  return text;
}
