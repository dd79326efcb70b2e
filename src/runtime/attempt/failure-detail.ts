import { credentialWords } from '../../contract/credential-names.ts';
import { withoutCredentials } from '../../diagnostics/credentials.ts';

/** The longest text of an agent about a failure that is stored, in UTF-16 units. */
const maxLength = 4096;
const censor = '[secret]';
/** Where a plugin has cut a text, it says so. */
const cut = '…';
/** Shorter values may be any word. */
const shortestSecret = 4;

/** What an agent sends after these names, e.g. when it repeats the request. */
const credentialMember = new RegExp(
  `((?:${credentialWords}|password)["']?\\s*[:=]\\s*)("(?:[^"\\\\]|\\\\.)*"|'[^']*'|(?:(?:Bearer|Basic)\\s+)?[^\\s,;}"'&]+)`,
  'gi',
);
/** What precedes the secret in a value of a header. */
const scheme = /^(?:Bearer|Basic|Token|ApiKey) +/i;
const bearer = /\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/gi;
/** Keys of common vendors, and JWTs, which agents repeat in words. */
const vendorKey = /\b(?:sk|pk|rk|ghp|gho|ghs|xox[abprs]|glpat|AKIA|app)[-_][\w*.-]{6,}|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g;

/** What an agent said of a failure as it may be stored: bounded, without the secrets of the plugin and what looks like one. */
export function failureDetail(said: string, secrets: readonly string[]): string {
  const isCut = said.length > 2 * maxLength || said.endsWith(cut);
  let text = said.slice(0, 2 * maxLength);
  let longest = 0;
  for (const secret of secrets.flatMap((value) => [value, value.replace(scheme, '')])) {
    if (secret.length < shortestSecret) continue;
    const escaped = JSON.stringify(secret).slice(1, -1);
    for (const form of new Set([secret, escaped, encodeURIComponent(secret), Buffer.from(secret).toString('base64')])) {
      text = text.replaceAll(form, censor);
      longest = Math.max(longest, form.length);
    }
  }
  // A secret that a cut divided was not found, and replacements may have moved it to the front.
  if (isCut) text = `${text.slice(0, Math.max(0, text.length - longest))}${cut}`;
  if (said.startsWith(cut)) text = `${cut}${text.slice(cut.length + longest)}`;
  text = text.replace(bearer, `$1 ${censor}`).replace(vendorKey, censor).replace(credentialMember, `$1${censor}`);
  return withoutCredentials(text, () => censor).slice(0, maxLength);
}
