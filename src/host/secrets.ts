import { resolve } from 'node:path';
import { readRegularFile } from '../config/files/read-regular-file.ts';
import type { SecretReference } from '../contract/index.ts';

export type ResolvedSecret =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly message: string };

/** The longest secret file that is read: enough for a private key chain, not for a disk image named by mistake. */
const secretLimitBytes = 64 * 1024;

/**
 * Reads a secret from the environment or a file. One final line break is removed, since editors add it.
 * @param folder absolute path of the folder where relative file paths start
 */
export async function resolveSecret(reference: SecretReference, folder: string): Promise<ResolvedSecret> {
  if ('env' in reference) {
    const value = process.env[reference.env];
    if (value === undefined || value === '') {
      return { ok: false, message: `the environment variable ${reference.env} is not set` };
    }
    return { ok: true, value };
  }
  const reading = await readRegularFile(resolve(folder, reference.file), secretLimitBytes);
  if (reading.kind === 'fault') return { ok: false, message: `the file ${reference.file} ${reading.reason}` };
  const value = reading.bytes.toString('utf8').replace(/\r?\n$/, '');
  return value === '' ? { ok: false, message: `the file ${reference.file} is empty` } : { ok: true, value };
}
