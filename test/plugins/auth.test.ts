import { createHash } from 'node:crypto';
import t from 'tap';
import apiKey from '../../plugins/auth/api-key/index.ts';
import none from '../../plugins/auth/none/index.ts';
import type { ApiKeyDeclaration } from '../../src/contract/index.ts';
import { pluginContext, requestHead } from '../support/exchange.ts';

const digest = (secret: string) => createHash('sha256').update(secret).digest('hex');

function declare(id: string, changes: Partial<ApiKeyDeclaration> & { secret?: string; expiresAt?: number } = {}) {
  const { secret = `${id}-secret`, expiresAt, ...rest } = changes;
  return {
    id,
    secrets: [{ sha256: digest(secret), expiresAt }],
    permissions: ['project.trigger'],
    projects: ['support'],
    status: 'active',
    ...rest,
  } satisfies ApiKeyDeclaration;
}

function authOf(apiKeys: readonly ApiKeyDeclaration[], header = 'x-api-key') {
  return apiKey.create({ ...pluginContext, apiKeys, projects: ['support'] }, { header });
}

function authenticate(auth: ReturnType<typeof authOf>, key: string | readonly string[] | undefined, receivedAt = 1000) {
  return auth.authenticate({ ...requestHead(key === undefined ? {} : { 'x-api-key': key }), receivedAt });
}

t.test('api-key', async (t) => {
  t.test('api-key authenticates the caller by any of its secrets', async (t) => {
    const secrets = ['old', 'new'].map((secret) => ({ sha256: digest(secret), expiresAt: undefined }));
    const auth = authOf([declare('other'), declare('website', { secrets })]);
    for (const secret of ['old', 'new']) {
      t.match(authenticate(auth, secret), {
        kind: 'authenticated',
        principal: { id: 'website', permissions: new Set(['project.trigger']), projects: new Set(['support']) },
      });
    }
    t.match(authenticate(auth, 'other-secret'), { kind: 'authenticated', principal: { id: 'other' } });
  });

  t.test('api-key grants every project with *', async (t) => {
    const auth = authOf([declare('website', { projects: ['*'] })]);
    t.match(authenticate(auth, 'website-secret'), { principal: { projects: 'all' } });
  });

  t.test('api-key abstains without the header and rejects an unknown key', async (t) => {
    const auth = authOf([declare('website')]);
    t.same(authenticate(auth, undefined), { kind: 'abstained' });
    t.same(authenticate(auth, 'guess'), { kind: 'rejected', reason: 'unknown key' });
    t.same(authenticate(auth, digest('website-secret')), { kind: 'rejected', reason: 'unknown key' });
  });

  t.test('format of a key', async (t) => {
    const longest = 'k'.repeat(512);
    const auth = authOf([declare('website', { secret: longest })]);
    t.test('api-key accepts a key of 512 characters', async (t) => {
      t.match(authenticate(auth, longest), { kind: 'authenticated' });
    });
    for (const key of ['', `${longest}k`, 'a b', 'a, b', 'kéy', 'k\t', 'k\n', 'k\u007f', [longest], [longest, 'b']]) {
      const name = JSON.stringify(key);
      const shown = name.length > 40 ? `${name.slice(0, 8)}… of ${String(key).length} characters` : name;
      t.test(`api-key rejects the malformed key ${shown}`, async (t) => {
        t.same(authenticate(auth, key), { kind: 'rejected', reason: 'malformed key' });
      });
    }
  });

  t.test('api-key rejects a secret from the moment of its expiry', async (t) => {
    const auth = authOf([declare('website', { expiresAt: 1000 })]);
    t.match(authenticate(auth, 'website-secret', 999), { kind: 'authenticated' });
    t.same(authenticate(auth, 'website-secret', 1000), { kind: 'rejected', reason: 'expired secret' });
  });

  t.test('api-key rejects every secret of a revoked key', async (t) => {
    const auth = authOf([declare('website', { status: 'revoked' })]);
    t.same(authenticate(auth, 'website-secret'), { kind: 'rejected', reason: 'revoked key' });
  });

  t.test('api-key reads the header that the options name, in any case', async (t) => {
    const auth = authOf([declare('website')], 'X-Acme-Key');
    t.match(auth.authenticate(requestHead({ 'x-acme-key': 'website-secret' })), { kind: 'authenticated' });
    t.same(authenticate(auth, 'website-secret'), { kind: 'abstained' });
  });

  t.test('a bearer token is an API key', async (t) => {
    const own = 'pc_0123456789abcdefghijklmnopqrstuvwxyzABCD';
    const auth = authOf([declare('website', { secret: own }), declare('sender', { secret: 'fixed+token/of=sender' })]);
    const ask = (headers: Record<string, string | readonly string[]>) => auth.authenticate(requestHead(headers));
    for (const field of [`Bearer ${own}`, `bearer ${own}`, `BEARER   ${own}`]) {
      t.match(ask({ authorization: field }), { kind: 'authenticated', principal: { id: 'website' } }, field);
    }
    t.match(ask({ authorization: 'Bearer fixed+token/of=sender' }), { principal: { id: 'sender' } });
    t.match(ask({ authorization: `Bearer ${own}`, 'x-api-key': own }), { principal: { id: 'website' } }, 'equal');
    t.same(ask({ authorization: 'Bearer pc_other', 'x-api-key': own }), {
      kind: 'rejected',
      reason: 'two different keys',
    });
    t.match(ask({ authorization: 'Bearer other', 'x-api-key': own }), { kind: 'rejected' });
    t.match(ask({ authorization: `Bearer ${own}`, 'x-api-key': 'pc_other' }), { kind: 'rejected' });
    t.match(ask({ authorization: `Bearer ${own}, Bearer ${own}` }), { kind: 'rejected', reason: 'malformed key' });
    t.match(ask({ authorization: `Bearer ${own}, Bearer ${own}`, 'x-api-key': own }), { kind: 'rejected' });
    t.match(ask({ authorization: 'Bearer pc_unknown' }), { kind: 'rejected', reason: 'unknown key' });
    for (const foreign of [
      'Bearer eyJh.eyJz.c2ln',
      `Bearer ${'j'.repeat(2000)}`,
      'Bearer opaque',
      'Bearer',
      `Basic ${own}`,
    ]) {
      t.same(ask({ authorization: foreign }), { kind: 'abstained' }, foreign.slice(0, 30));
    }
    for (const foreign of ['Bearer eyJh.eyJz.c2ln', 'Basic dXNlcjpwYXNz']) {
      t.match(ask({ authorization: foreign, 'x-api-key': own }), { kind: 'authenticated' }, `${foreign} beside a key`);
    }
  });

  t.test('a header of its own may carry a key as a bearer token too', async (t) => {
    const auth = authOf([declare('website')], 'Authorization');
    for (const authorization of ['website-secret', 'Bearer website-secret']) {
      t.match(auth.authenticate(requestHead({ authorization })), { kind: 'authenticated' }, authorization);
    }
    t.match(auth.authenticate(requestHead({ authorization: 'Basic website-secret' })), { kind: 'rejected' });
    t.same(auth.credentials, { headers: ['authorization'] });
    t.same(authOf([]).credentials, { headers: ['x-api-key', 'authorization'] });
  });

  t.test('api-key says which secret was used, by its note or else its place', async (t) => {
    const secrets = ['old', 'new', 'noted'].map((secret) => ({ sha256: digest(secret), expiresAt: undefined }));
    const noted = secrets.map((secret, index) => (index === 2 ? { ...secret, label: 'laptop of Ana' } : secret));
    const auth = authOf([declare('website', { secrets: noted })]);
    const used = { old: 'secrets[0]', new: 'secrets[1]', noted: 'laptop of Ana' };
    for (const [secret, credential] of Object.entries(used)) {
      t.match(authenticate(auth, secret), { principal: { id: 'website', credential } });
    }
  });

  t.test('api-key refuses to start when two keys list the same secret', async (t) => {
    const keys = [declare('a', { secret: 'shared' }), declare('b', { secret: 'shared' })];
    t.throws(() => authOf(keys), { message: 'API keys "a" and "b" list the same secret' });
  });

  t.test('api-key never puts a key into its verdict', async (t) => {
    const auth = authOf([declare('website')]);
    for (const key of ['website-secret', 'guessed-secret', 'mal formed-secret']) {
      t.notMatch(JSON.stringify(authenticate(auth, key)), 'secret"');
    }
  });
});

t.test('none authenticates everyone as the caller named in its options', async (t) => {
  const auth = none.create(
    { ...pluginContext, apiKeys: [], projects: ['support', 'shop', 'sales'] },
    { id: 'intranet', permissions: ['project.trigger', 'project.runs'] },
  );
  t.same(auth.authenticate(), {
    kind: 'authenticated',
    principal: { id: 'intranet', permissions: new Set(['project.trigger', 'project.runs']), projects: 'all' },
  });
});
