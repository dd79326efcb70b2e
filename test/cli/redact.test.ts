import t from 'tap';
import { redactLine, redactSecrets } from '../../src/cli/redact.ts';
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

t.test('a line of the gateway says which secret was used; other secrets in lines are not logged', async (t) => {
  const own = { caller: 'website', secret: 'secrets[0]' };
  t.equal(redactLine(own), own);
  t.strictSame(redactLine({ secret: '2026-06 laptop of Ana', token: 't0ken' }), {
    secret: '2026-06 laptop of Ana',
    token: '[secret]',
  });
  t.strictSame(redactLine({ request: { secret: 's3cret' } }), { request: { secret: '[secret]' } });
  const plugins = { stage: 'run', plugin: 'ledger', secret: 's3cret' };
  t.strictSame(redactLine(plugins), { ...plugins, secret: '[secret]' });
});
