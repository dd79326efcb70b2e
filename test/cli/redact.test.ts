import t from 'tap';
import { redactSecrets } from '../../src/cli/redact.ts';
import { namesCredential } from '../../src/contract/credential-names.ts';

t.test('members that are named like credentials are not logged, whatever else their names say', async (t) => {
  const names = [
    'authorization',
    'Set-Cookie',
    'x-api-key',
    'apiKey',
    'access_token',
    'client_secret',
    'pwd',
    'x-signature',
  ];
  for (const name of names) {
    t.ok(namesCredential(name), name);
    t.strictSame(redactSecrets({ request: { [name]: 's3cret' } }), { request: { [name]: '[secret]' } }, name);
  }
  const harmless = { code: 'D1012', key: 'refund', inputTokens: 7, usage: { outputTokens: 9 } };
  t.equal(redactSecrets(harmless), harmless);
});
