/** What names of credentials contain, as the source of a regular expression. */
export const credentialWords =
  'authorization|cookie|token|secret|passw|pwd|(?:api|access|private)[-_]?key|credential|signature';

const credentialName = new RegExp(`${credentialWords}|^(?:auth|key|sig|code|jwt|bearer|otp|pass|hmac)$`, 'i');

const credentialWord = new RegExp(credentialWords, 'i');

/** Whether a name contains such a word. Unlike `namesCredential`, not for short names with other meanings: `code`, `key`. */
export function containsCredentialWord(name: string): boolean {
  return credentialWord.test(name);
}

/**
 * Whether a header, member or URL parameter of this name may hold a credential, whatever its value is. Not published: the
 * one list of the gateway.
 */
export function namesCredential(name: string): boolean {
  return credentialName.test(name);
}

/**
 * An API key of a gateway, `pc_` and 36 letters and digits, the secret of a browser key, `pcb_`, a token of the admin
 * listener, `pca_`, and a token, `pct_`.
 */
const ownKey = /(?<![0-9A-Za-z])(?:pc[ab]?_[0-9A-Za-z]{36}|pct_[\w-]{36})/;

/** Whether a text has an API key or a token in it, whatever it is sent as. Not published: the one test of the gateway. */
export function containsApiKey(text: string): boolean {
  return ownKey.test(text);
}
