import type { AlertReceiverConfig } from '../config/alert-model.ts';
import type { Config } from '../config/model.ts';
import type { SecretReference } from '../contract/index.ts';
import type { Problem } from '../diagnostics/problem.ts';
import { isHttpUrl } from '../schema/formats.ts';
import { resolveSecret } from './secrets.ts';

/** A receiver of alerts, with its secrets. */
export type AlertTarget = { readonly name: string; readonly url: string } & (
  | { readonly format: 'standard'; readonly secret: string }
  | { readonly format: 'slack' }
);

export interface OpenedAlertTargets {
  readonly targets: readonly AlertTarget[];
  readonly findings: readonly Problem[];
}

export const noAlertTargets: OpenedAlertTargets = { targets: [], findings: [] };

/** Reads the secrets of receivers of alerts. One without its secrets is a finding that is an error. */
export async function openAlertTargets({ alerts }: Config): Promise<OpenedAlertTargets> {
  const targets: AlertTarget[] = [];
  const findings: Problem[] = [];
  for (const receiver of alerts.receivers) {
    const reader = new SecretReader(receiver, findings);
    const url = typeof receiver.url === 'string' ? receiver.url : await reader.read('url', receiver.url);
    if (url !== undefined && !isHttpUrl(url))
      reader.report('url', 'bad_secret', 'the secret is not an http or https URL');
    const { name, format } = receiver;
    if (format === 'slack') {
      if (url !== undefined) targets.push({ name, format, url });
      continue;
    }
    const secret = receiver.secret && (await reader.read('secret', receiver.secret));
    if (secret === undefined || url === undefined) continue;
    const { isSigningSecret } = await import('./signing.ts');
    if (isSigningSecret(secret)) targets.push({ name, format, url, secret });
    else reader.report('secret', 'bad_secret', 'invalid webhook secret: expected base64 after `whsec_`');
  }
  return { targets, findings };
}

class SecretReader {
  readonly #receiver: AlertReceiverConfig;
  readonly #findings: Problem[];

  constructor(receiver: AlertReceiverConfig, findings: Problem[]) {
    this.#receiver = receiver;
    this.#findings = findings;
  }

  async read(field: string, reference: SecretReference): Promise<string | undefined> {
    const resolved = await resolveSecret(reference, this.#receiver.folder);
    if (resolved.ok) return resolved.value;
    this.report(field, 'missing_secret', resolved.message);
    return undefined;
  }

  report(field: string, code: 'missing_secret' | 'bad_secret', message: string): void {
    const { place } = this.#receiver;
    const at = { ...place, pointer: `${place.pointer}/${field}` };
    this.#findings.push({ code, severity: 'error', message, place: at });
  }
}
