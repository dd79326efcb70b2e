/**
 * Names of headers, members and URL parameters whose values are neither recorded nor shown, whatever they hold. For the
 * gateway and its commands; no part of the published contract.
 */
const credentialName =
  /authorization|cookie|token|secret|passw|pwd|(api|access|private)[-_]?key|credential|signature|^(auth|key|sig|code)$/i;

/** Whether something of this name may be a credential. */
export function namesCredential(name: string): boolean {
  return credentialName.test(name);
}

/**
 * A text without what URLs in it hold before their `@`, and without the values of parameters and settings that are named
 * like credentials: `?token=…`, `--password=…`.
 * @param hide gives what stands there instead
 */
export function withoutCredentials(text: string, hide: (secret: string) => string): string {
  return text
    .replace(/(?<=\/\/)[^/?#\s"'@]+(?=@)/g, hide)
    .replace(/(?<![\w-])([\w-]+)=([^&#\s"']+)/g, (whole, name, value) =>
      namesCredential(name) ? `${name}=${hide(value)}` : whole,
    );
}
