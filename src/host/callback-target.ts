import type { CallbackConfig } from '../config/model.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { resolveSecret } from './secrets.ts';

/** Where a signed callback goes. */
export interface CallbackTarget {
  readonly url: string;
  readonly secret: string;
}

/** Reads the secret of a callback. Without a value there is a finding that is an error. */
export async function callbackTarget({ url, secret: reference, folder, place }: CallbackConfig): Promise<{
  readonly value: CallbackTarget | undefined;
  readonly findings: readonly Problem[];
}> {
  const secretPlace = { ...place, pointer: `${place.pointer}/secret` };
  const fault = (code: 'missing_secret' | 'bad_secret', message: string) => ({
    value: undefined,
    findings: [{ code, severity: 'error', message, place: secretPlace } as const],
  });
  const secret = await resolveSecret(reference, folder);
  if (!secret.ok) return fault('missing_secret', secret.message);
  const { isSigningSecret } = await import('./signing.ts');
  if (!isSigningSecret(secret.value)) {
    return fault('bad_secret', 'invalid webhook secret: expected base64 after `whsec_`');
  }
  return { value: { url, secret: secret.value }, findings: [] };
}
