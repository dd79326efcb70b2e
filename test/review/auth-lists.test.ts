import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { UnresolvedOptions } from '../../src/contract/index.ts';
import { explainRequest } from '../../src/review/explain.ts';
import { openConfig } from '../../src/review/open-config.ts';
import type { Plan } from '../../src/review/plan/plan.ts';
import { runPlan } from '../../src/review/plan/result.ts';
import { describeOutcome, Rehearsal, type RehearsedRequest } from '../../src/review/rehearsal.ts';
import { basicFiles, configFolder, gatewayFile, secrets, triggerFile } from '../support/config-folder.ts';
import { serveFolder } from '../support/gateway.ts';

const keyed = { uses: 'api-key' };
const open = { uses: 'none' };
const signed = { uses: 'signature', with: { scheme: 'github', secrets: [{ file: 'shared.secret' }] } };
const users = [{ name: 'jira', passwords: [{ file: 'shared.secret' }], projects: ['support'] }];
const named = { uses: 'basic', with: { users } };

const lists: readonly (readonly object[])[] = [
  ...[[keyed], [open], [signed], [named]],
  ...[
    [keyed, signed],
    [signed, keyed],
    [keyed, open],
    [signed, open],
    [named, open],
    [signed, named],
  ],
  ...[
    [named, signed, keyed],
    [keyed, named, signed, open],
  ],
];

const signature = `sha256=${createHmac('sha256', 'secret').update('{}').digest('hex')}`;

/** Callers by what they show. */
const callers: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  website: { 'x-api-key': secrets.website },
  revoked: { 'x-api-key': secrets.revoked },
  expired: { 'x-api-key': secrets.expired },
  untriggering: { 'x-api-key': secrets.untriggering },
  'signature:github': { 'x-hub-signature-256': signature },
  'basic:jira': { authorization: `Basic ${Buffer.from('jira:secret').toString('base64')}` },
  anonymous: {},
};

function files(triggers: Readonly<Record<string, readonly object[] | object>>): Record<string, string> {
  const entries = Object.entries(triggers).map(([key, auth]) => [`${key}.yaml`, triggerFile(key, { auth })]);
  return { ...basicFiles(), 'shared.secret': 'secret', ...Object.fromEntries(entries) };
}

async function opened(t: Test, root: string) {
  const config = await openConfig(root);
  if (!config.ok) throw new Error(JSON.stringify(config.problems));
  t.teardown(() => config.close());
  return config;
}

function requestOf(trigger: string, caller: string): RehearsedRequest {
  return {
    ...{ project: 'support', trigger, caller, receivedAt: Date.now(), headers: {}, ip: '127.0.0.1' },
    bodyText: '{}',
  };
}

t.test('a rehearsal of an auth list', async (t) => {
  const triggers = Object.fromEntries(lists.map((auth, index) => [`list-${index}`, auth]));
  const root = await configFolder(t, files(triggers));
  const gateway = await serveFolder(t, root);
  const { snapshot } = await opened(t, root);
  const rehearsal = new Rehearsal(snapshot);
  const seen = new Set<number>();
  for (const [key, list] of Object.entries(triggers))
    await t.test(`a rehearsal predicts who ${shown(list)} lets in`, async (t) => {
      for (const [caller, headers] of Object.entries(callers)) {
        const answer = await gateway.fire(key, {}, { secret: null, headers });
        const predicted = await rehearsal.try(requestOf(key, caller));
        t.equal(predicted.status, answer.status, caller);
        seen.add(answer.status);
      }
    });
  t.strictSame([...seen].sort(), [200, 401, 403]);
});

t.test('a rehearsal needs no secret that is missing', async (t) => {
  const nowhere = { ...signed.with, secrets: [{ env: 'NO_SUCH_SECRET' }] };
  const root = await configFolder(t, files({ hook: [{ uses: 'signature', with: nowhere }, keyed] }));
  const rehearsal = new Rehearsal((await opened(t, root)).snapshot);
  for (const caller of ['website', 'signature:github']) {
    t.equal(describeOutcome(await rehearsal.try(requestOf('hook', caller))), 'accepted', caller);
  }
  t.match(describeOutcome(await rehearsal.try(requestOf('hook', 'basic:jira'))), /unauthorized/);
});

t.test('a rehearsal fetches no key set', async (t) => {
  let asked = 0;
  const server = createServer((_request, response) => {
    asked += 1;
    response.end('{"keys":[]}');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const token = { uses: 'jwt', with: { jwksUrl, issuer: 'a', audience: 'b', projects: ['support'] } };
  const root = await configFolder(t, files({ hook: [token, keyed] }));
  const rehearsal = new Rehearsal((await opened(t, root)).snapshot);
  const headers = { authorization: 'Bearer eyJhbGciOiJSUzI1NiJ9.e30.AAAA' };
  for (const [caller, status] of [
    ['jwt:ada', 200],
    ['website', 200],
    ['nobody', 401],
  ] as const) {
    t.equal((await rehearsal.try({ ...requestOf('hook', caller), headers })).status, status, caller);
  }
  t.equal(asked, 0);
});

t.test('explain names the plugins of an auth list in their order', async (t) => {
  const root = await configFolder(t, files({ hook: [signed, keyed] }));
  const rehearsal = new Rehearsal((await opened(t, root)).snapshot);
  const { stages } = await explainRequest(rehearsal, requestOf('hook', 'website'));
  t.match(stages[0], {
    use: 'signature scheme github, secrets ["file shared.secret"], else api-key',
    result: 'passed',
    words: 'caller website',
    place: { pointer: '/auth/0' },
  });
});

/** The plugins of an auth, with the options that tell two of one name apart. */
function shown(auth: object): string {
  const parts = [auth].flat().map((one) => {
    const { header, tolerance } = Object(one).with ?? {};
    return [Object(one).uses, header, tolerance].filter((word) => word !== undefined).join(' ');
  });
  return Array.isArray(auth) ? `[${parts.join(', ')}]` : parts.join();
}

async function planOf(t: Test, before: object, after: object, filesOf = files): Promise<Plan> {
  const base = await configFolder(t, filesOf({ hook: before }));
  const head = await configFolder(t, filesOf({ hook: after }));
  const result = await runPlan({
    base: { root: base, label: 'base' },
    head: { root: head, label: 'head' },
    ...{ requests: [], showBodies: false, now: Date.now() },
  });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.plan;
}

t.test('plan: access by a changed auth list', async (t) => {
  const hook = ['support/hook'];
  const keys = ['all', 'other', 'reader', 'website'];
  const each = (callers: readonly string[], change: object) => callers.map((caller) => ({ caller, ...change }));
  const gain = { gains: hook, loses: [] };
  const loss = { gains: [], loses: hook };
  const bySignature = 'callers known to auth signature';
  const expected: readonly [before: object, after: object, access: readonly object[], warnings: readonly string[]][] = [
    [keyed, [keyed], [], []],
    [keyed, [signed, keyed], each([bySignature], gain), ['auth_changed /auth/0']],
    [[signed, keyed], [keyed, signed], [], []],
    [[signed, keyed], keyed, each([bySignature], loss), []],
    [
      keyed,
      signed,
      [...each(keys.slice(0, 1), loss), ...each([bySignature], gain), ...each(keys.slice(1), loss)],
      ['auth_changed /auth'],
    ],
    [keyed, [keyed, open], each(['anyone'], gain), ['auth_none /auth/1']],
    [[keyed, open], open, [], []],
    [[keyed, open], keyed, each(['anyone'], loss), []],
    [[signed, keyed], [{ ...signed, with: { ...signed.with, tolerance: '1h' } }, keyed], [], ['auth_changed /auth/0']],
    [[keyed], [{ uses: 'api-key', with: { header: 'x-other' } }], [], []],
  ];
  for (const [before, after, access, warnings] of expected) {
    await t.test(`plan reports who gains and loses access: ${shown(before)} to ${shown(after)}`, async (t) => {
      const plan = await planOf(t, before, after);
      t.strictSame(plan.access, access);
      t.strictSame(
        plan.warnings.map(({ code, place }) => `${code} ${place.pointer}`),
        warnings,
      );
    });
  }
});

/** A third party's auth plugins, by what they say of their callers. */
const acme = (uses: string, options?: object) => ({ uses: `acme-${uses}`, ...(options && { with: options }) });

const acmeFiles = (triggers: Parameters<typeof files>[0]) => ({
  ...files(triggers),
  'gateway.yaml': gatewayFile({ plugins: [join(import.meta.dirname, '../fixtures/plugins/reviewed-auth.js')] }),
});

t.test('plan: access by auth plugins of third parties', async (t) => {
  const hook = ['support/hook'];
  const keys = ['all', 'other', 'reader', 'website'];
  const each = (callers: readonly string[]) => callers.map((caller) => ({ caller, gains: hook, loses: [] }));
  const elsewhere = { header: 'x-other' };
  const expected: readonly [before: object, after: object, access: readonly object[], warnings: readonly string[]][] = [
    [signed, [signed, acme('anyone')], each(['anyone']), ['auth_none /auth/1']],
    [signed, [signed, acme('declared')], each(keys), ['auth_changed /auth/1']],
    [acme('declared'), acme('declared', elsewhere), [], []],
    [signed, [signed, acme('holders')], each(['callers known to auth acme-holders']), ['auth_changed /auth/1']],
    [signed, [signed, acme('silent')], each(['callers known to auth acme-silent']), ['auth_changed /auth/1']],
    [acme('silent'), acme('silent', elsewhere), [], ['auth_changed /auth']],
  ];
  for (const [before, after, access, warnings] of expected) {
    await t.test(`plan reports access by the review of a plugin: ${shown(before)} to ${shown(after)}`, async (t) => {
      const plan = await planOf(t, before, after, acmeFiles);
      t.strictSame(plan.access, access);
      const warned = plan.warnings.map(({ code, place }) => `${code} ${place.pointer}`);
      t.strictSame(warned, warnings);
    });
  }
});

t.test('a rehearsal of auth plugins of third parties', async (t) => {
  const missing = { secret: { env: 'NO_SUCH_SECRET' } };
  const root = await configFolder(
    t,
    acmeFiles({
      anyone: acme('anyone'),
      declared: acme('declared'),
      holders: acme('holders'),
      'holders-elsewhere': acme('holders', missing),
      silent: acme('silent'),
    }),
  );
  const rehearsal = new Rehearsal((await opened(t, root)).snapshot);
  const admits = async (trigger: string, caller: string) =>
    describeOutcome(await rehearsal.try(requestOf(trigger, caller))) === 'accepted';
  for (const [trigger, callers] of [
    ['anyone', ['website', 'acme:ada', 'jwt:ada']],
    ['declared', ['website']],
    ['holders', ['acme:ada']],
    ['holders-elsewhere', ['acme:ada']],
    ['silent', ['website', 'acme:ada', 'jwt:ada']],
  ] as const) {
    await t.test(`a rehearsal admits ${callers.join(', ')} and no other caller by acme-${trigger}`, async (t) => {
      for (const caller of ['website', 'acme:ada', 'jwt:ada']) {
        t.equal(
          await admits(trigger, caller),
          callers.some((one) => one === caller),
          caller,
        );
      }
    });
  }
});

const notingPlugin = `export default {
  contract: 'v1', stage: 'auth', name: 'noting', summary: 'Notes the options that it gets.',
  optionsSchema: {
    type: 'object', additionalProperties: false,
    properties: {
      header: { type: 'string', default: 'x-caller' },
      secrets: { type: 'array', items: { $ref: 'urn:pullcord:secret' } },
    },
  },
  review(options) {
    globalThis.notedOptions.push(['review', options]);
    return { callers: { kind: 'holders', prefix: 'noting:' } };
  },
  create(_context, options) {
    globalThis.notedOptions.push(['create', options]);
    return { authenticate: () => ({ kind: 'abstained' }) };
  },
};`;

t.test(
  'a review asks an auth plugin with references in place of secrets, and creates none that lacks one',
  async (t) => {
    const noted: [method: string, options: object][] = [];
    Reflect.set(globalThis, 'notedOptions', noted);
    t.teardown(() => Reflect.deleteProperty(globalThis, 'notedOptions'));
    const admitted = async (secrets: readonly object[]) => {
      noted.length = 0;
      const root = await configFolder(t, {
        ...files({ hook: { uses: 'noting', with: { secrets } } }),
        'gateway.yaml': gatewayFile({ plugins: ['./noting.mjs'] }),
        'noting.mjs': notingPlugin,
      });
      const rehearsal = new Rehearsal((await opened(t, root)).snapshot);
      const callers = ['noting:ada', 'acme:ada'];
      const outcomes = await Promise.all(callers.map((caller) => rehearsal.try(requestOf('hook', caller))));
      return callers.filter((_, index) => outcomes[index]?.verdict === 'accepted');
    };
    const here = { file: 'shared.secret' };
    const missing = { env: 'NO_SUCH_SECRET' };
    const header = 'x-caller';

    t.strictSame(await admitted([here, missing]), ['noting:ada']);
    t.strictSame(noted, [['review', { header, secrets: [here, missing] }]]);

    t.strictSame(await admitted([here]), ['noting:ada']);
    t.strictSame(noted, [
      ['create', { header, secrets: ['secret'] }],
      ['review', { header, secrets: [here] }],
    ]);
    t.ok(noted.every(([, options]) => Object.isFrozen(options)));
  },
);

t.test('the types of the contract show that a review cannot read a secret', (t) => {
  const options: UnresolvedOptions<{ scheme: 'a' | 'b'; users: [{ password: string }]; toleranceMs?: number }> = {
    scheme: 'a',
    users: [{ password: { env: 'PASSWORD' } }],
    toleranceMs: 5,
  };
  // @ts-expect-error a string may be a reference
  t.throws(() => options.users[0].password.trim());
  t.equal(options.scheme.length, 1);
  t.equal(options.toleranceMs, 5);
  t.end();
});

t.test('plan shows a changed auth list as a whole, and a changed option alone', async (t) => {
  const detailsOf = async (before: object, after: object) => {
    const { structure } = await planOf(t, before, after);
    return structure.flatMap(({ details }) => details).map(({ what, before: old, after: now }) => [what, old, now]);
  };
  const github = 'signature scheme github, secrets ["file shared.secret"]';
  t.strictSame(await detailsOf(keyed, [signed, keyed]), [['auth', 'api-key', `${github}, else api-key`]]);
  t.strictSame(await detailsOf([signed, keyed], [keyed, signed]), [
    ['auth', `${github}, else api-key`, `api-key, else ${github}`],
  ]);
  const later = { ...signed, with: { ...signed.with, name: 'later' } };
  t.strictSame(await detailsOf([keyed, signed], [keyed, later]), [['auth: signature name', undefined, 'later']]);
});
