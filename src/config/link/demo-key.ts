/**
 * SHA-256 of the secrets that the example config declares and everyone can read:
 * `pc_demo_not_a_secret_0000000000000000000` of `keys/demo.yaml`, and `pcb_demo_not_a_secret_000000000000000000` of
 * `keys/site.yaml`. The gateway refuses to serve them on any host but loopback.
 */
const demoKeySha256s: ReadonlySet<string> = new Set([
  'a73838328896ea01ae3acacdf0a4b8f5ac60a1ec10bef012f03b8a862f951768',
  '045bfafcfdf67519082e17915289de3ce6a6770714677e40a23074eca2cce122',
]);

/** Whether a secret, by its SHA-256 in hexadecimal digits, is one that the example config publishes. */
export function isDemoSecret(sha256: string): boolean {
  return demoKeySha256s.has(sha256);
}
