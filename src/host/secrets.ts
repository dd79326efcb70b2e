import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { SecretReference } from '../schema/secret-reference.ts';

export type ResolvedSecret =
  | { readonly ok: true; readonly value: string }
  | { readonly ok: false; readonly message: string };

/** The longest secret file that is read; a private key chain fits, a mistaken path to a disk image does not. */
const secretLimitBytes = 64 * 1024;

/**
 * Reads a secret from the environment or a file; one line ending at its end is dropped, since editors add it.
 * @param folder absolute path of the folder where a relative file path starts
 */
export async function resolveSecret(reference: SecretReference, folder: string): Promise<ResolvedSecret> {
  if ('env' in reference) {
    const value = process.env[reference.env];
    if (value === undefined || value === '') {
      return { ok: false, message: `the environment variable ${reference.env} is not set` };
    }
    return { ok: true, value };
  }
  try {
    const bytes = await readFile(resolve(folder, reference.file));
    if (bytes.length > secretLimitBytes) return { ok: false, message: `the file ${reference.file} is too large` };
    const value = bytes.toString('utf8').replace(/\r?\n$/, '');
    return value === '' ? { ok: false, message: `the file ${reference.file} is empty` } : { ok: true, value };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    return { ok: false, message: `the file ${reference.file} cannot be read (${code})` };
  }
}
