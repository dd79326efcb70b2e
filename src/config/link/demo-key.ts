/**
 * SHA-256 of the secret `pc_demo_not_a_secret_0000000000000000000`, which the example config declares and everyone can
 * read. The gateway refuses to serve it on any host but loopback.
 */
export const demoKeySha256 = 'a73838328896ea01ae3acacdf0a4b8f5ac60a1ec10bef012f03b8a862f951768';
