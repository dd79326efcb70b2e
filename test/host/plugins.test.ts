import { cp, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import { ConfigLoader } from '../../src/config/load.ts';
import type { StageUse } from '../../src/config/model.ts';
import type { FilterPlugin } from '../../src/contract/index.ts';
import { builtinPlugins } from '../../src/host/builtins.ts';
import { faultOfPlugin } from '../../src/host/check-plugin.ts';
import { createInstance } from '../../src/host/create-instance.ts';
import { withDeadline } from '../../src/host/deadline.ts';
import { InstancePool } from '../../src/host/instance-pool.ts';
import { Instances } from '../../src/host/instances.ts';
import { OutboundGuard } from '../../src/host/outbound/guard.ts';
import { Registry } from '../../src/host/registry.ts';
import { checkConfig } from '../../src/runtime/check-config.ts';
import { basicFiles, configFolder, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { serveFolder, startTestGateway } from '../support/gateway.ts';
import { recordingLog } from '../support/recording-log.ts';
import { until } from '../support/until.ts';

const fixtures = join(import.meta.dirname, '../fixtures/plugins');

/** Names the plugins in the second line of a gateway.yaml in block style. */
async function folderWith(t: Test, plugins: readonly string[], files: Record<string, string> = {}): Promise<string> {
  return configFolder(t, {
    ...basicFiles(),
    ...files,
    'gateway.yaml': [
      'version: 1',
      'kind: Gateway',
      'organization: acme',
      'server: { port: 0 }',
      'admin: { port: 0 }',
      'plugins:',
      ...plugins.map((plugin) => `  - ${plugin}`),
    ].join('\n'),
  });
}

async function problemsOf(root: string): Promise<string[]> {
  const { problems } = await checkConfig(root);
  return problems.map(
    ({ code, message, place }) => `${code} ${place.file.slice(root.length + 1)}${place.pointer} ${message}`,
  );
}

t.test('a plugin loaded from a path has options, defaults, secrets and problems like a built-in one', async (t) => {
  const plugin = join(fixtures, 'counting-filter.js');
  const filter = (options: object) =>
    triggerFile('a', { filter: [{ name: 'mine', uses: 'has-member', with: options }] });
  process.env.PULLCORD_TEST_PLUGIN_TOKEN = 'x';
  t.teardown(() => delete process.env.PULLCORD_TEST_PLUGIN_TOKEN);
  const { fire } = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ plugins: [plugin] }),
    'a.yaml': filter({ member: 'order', within: '2m', token: { env: 'PULLCORD_TEST_PLUGIN_TOKEN' } }),
  });
  t.equal((await fire('a', { order: 7 })).status, 200);
  t.match((await fire('a', {})).body, { code: 'filtered', filter: 'mine' });

  const bad = await folderWith(t, [plugin], { 'a.yaml': filter({ membre: 'x', within: 7, token: 'literal' }) });
  const problems = (await problemsOf(bad)).join('\n');
  t.match(problems, /unknown_field a\.yaml\/filter\/0\/with.*membre/);
  t.match(problems, /a\.yaml\/filter\/0\/with\/within/);
  t.match(problems, /literal_secret a\.yaml\/filter\/0\/with\/token/);
});

t.test('a relative plugin path is resolved against the folder of gateway.yaml', async (t) => {
  const root = await folderWith(t, ['./my-plugins/counting-filter.js'], {
    'a.yaml': triggerFile('a', { filter: [{ uses: 'has-member', with: { member: 'order' } }] }),
  });
  await cp(join(fixtures, 'counting-filter.js'), join(root, 'my-plugins/counting-filter.js'));
  const { fire } = await serveFolder(t, root);
  t.equal((await fire('a', { order: 7 })).status, 200);
});

t.test('an installed plugin package loads, even if it has only ES modules', async (t) => {
  const root = await folderWith(t, ['pullcord-run-shout'], { 'a.yaml': triggerFile('a', { run: { uses: 'shout' } }) });
  await cp(join(fixtures, 'node_modules'), join(root, 'node_modules'), { recursive: true });
  const { fire } = await serveFolder(t, root);
  t.equal((await fire('a', { instruction: 'hello' })).body.output, 'HELLO');
});

t.test('broken plugins', async (t) => {
  for (const [plugin, message] of [
    [join(fixtures, 'broken.js'), /contract/],
    [join(fixtures, 'throws.js'), /does not load/],
    [join(fixtures, 'absent.js'), /cannot be used/],
    ['no-such-package', /no-such-package/i],
  ] as const) {
    await t.test(`a broken plugin is reported at its line: ${basename(plugin)}`, async (t) => {
      const root = await folderWith(t, [join(fixtures, 'counting-filter.js'), plugin]);
      const problems = await problemsOf(root);
      t.equal(problems.length, 1);
      t.match(problems[0], /^bad_plugin gateway\.yaml\/plugins\/1 /);
      t.match(problems[0], message);
    });
  }
});

t.test('a plugin that cannot be imported is reported with what to do', async (t) => {
  const exported = 'export default { contract: "v1" };';
  for (const [name, files, hint] of [
    [
      'without pullcord',
      { 'plugin.mjs': `import "pullcord/plugin";\n${exported}` },
      /npm install \.\.\/pullcord\. .*not published on the npm registry/,
    ],
    ['another package', { 'plugin.mjs': `import "no-such-package";\n${exported}` }, /npm install .*no-such-package/],
    [
      'an ES module in a CommonJS package',
      { 'package.json': '{ "type": "commonjs" }', 'plugin.js': exported },
      /"type": "module".*\.mjs/,
    ],
    [
      'an import in a CommonJS package',
      { 'package.json': '{ "type": "commonjs" }', 'plugin.js': `import "node:fs";\n${exported}` },
      /"type": "module".*\.mjs/,
    ],
    ['CommonJS in an ES module', { 'plugin.mjs': 'module.exports = {};' }, /export default|\.cjs/],
    ['a missing file', { 'plugin.mjs': `import "./other";\n${exported}` }, /Check the path/],
  ] as const) {
    const file = Object.keys(files).find((one) => one.startsWith('plugin')) ?? '';
    const folder = await configFolder(t, files);
    const root = await folderWith(t, [join(folder, file)]);
    const { problems } = await checkConfig(root);
    t.match(problems, [{ code: 'bad_plugin', hint }], name);
  }
});

t.test('invalid replies of respond plugins', async (t) => {
  /** By plugin: what the log says. */
  const faulty = {
    'bad-header': /Invalid character in header content/,
    'bad-status': /not a reply: its `status` is not an integer from 200 to 599/,
    'no-status': /not a reply: its `status` is not an integer from 200 to 599/,
    'no-reply': /not a reply: it is not an object/,
    'no-json': /serialize a BigInt/,
    throws: /no answer/,
    'two-contents': /not a reply: it has more than one of `body`, `stream` and `events`/,
    'no-stream': /not a reply: its `stream` is not an async iterable/,
    'events-with-status': /not a reply: with `events` it has no `status` and no `headers`/,
    'events-without-run': /not a reply: its `events` have no `run`/,
  };
  const sound = ['no-content', 'bytes', 'error-bytes', 'stream'];
  const { fire, log } = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ plugins: [join(fixtures, 'odd-answers.js')] }),
    ...Object.fromEntries(
      [...Object.keys(faulty), ...sound].map((name) => [
        `${name}.yaml`,
        triggerFile(name, { respond: { uses: `odd-${name}` } }),
      ]),
    ),
  });
  for (const [name, reason] of Object.entries(faulty)) {
    await t.test(`an invalid reply of a respond plugin is answered with 500: ${name}`, async (t) => {
      const before = log.length;
      const answer = await fire(name, {});
      t.equal(answer.status, 500);
      t.match(answer.body, { code: 'internal_error' });
      t.equal(answer.headers.get('x-note'), null);
      const errors = log.slice(before).filter(({ level }) => level === 'error');
      t.match(errors, [{ fields: { err: { message: reason } } }]);
    });
  }
  await t.test('bytes and streams of a respond plugin are sent as they are', async (t) => {
    const answers = [await fire('bytes', {}), await fire('error-bytes', {}), await fire('stream', {})];
    t.strictSame(
      answers.map(({ status, headers, text }) => [
        ...[status, headers.get('content-type'), headers.get('content-length')],
        text,
      ]),
      [
        [200, 'text/plain; charset=utf-8', '5', 'süß'],
        [418, 'text/plain; charset=utf-8', '8', 'a teapot'],
        [200, 'text/plain; charset=utf-8', null, 'one two'],
      ],
    );
  });
  await t.test('a 204 of a respond plugin is sent without a content-length', async (t) => {
    const empty = await fire('no-content', {});
    t.equal(empty.status, 204);
    t.equal(empty.headers.get('content-length'), null);
  });
});

t.test('a handshake is answered by a body alone', async (t) => {
  const { fire, log } = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ plugins: [join(fixtures, 'odd-answers.js')] }),
    ...Object.fromEntries(
      ['stream', 'two-contents', 'no-status', 'bytes'].map((name) => [
        `${name}.yaml`,
        triggerFile(name, { auth: { uses: `handshake-${name}` } }),
      ]),
    ),
  });
  t.match(await fire('bytes', {}), { status: 200, text: 'süß' });
  const before = log.length;
  for (const name of ['stream', 'two-contents', 'no-status']) {
    t.match(await fire(name, {}), { status: 500, body: { code: 'internal_error' } }, name);
  }
  t.match(
    log.slice(before).map(({ fields }) => Reflect.get(Object(fields).err, 'message')),
    [/a handshake is answered by a `body` or none/, /a handshake is answered by/, /its `status` is not an integer/],
  );
});

t.test('a plugin with the name of another one is refused', async (t) => {
  const root = await folderWith(t, ['./echo.js']);
  const source = await readFile(join(fixtures, 'counting-filter.js'), 'utf8');
  await writeFile(join(root, 'echo.js'), source.replace("'has-member'", "'jsonata'"));
  t.match(await problemsOf(root), [
    /^bad_plugin gateway\.yaml\/plugins\/0 .*there already is a filter plugin named jsonata/,
  ]);
});

t.test('contract check of plugins', async (t) => {
  for (const { stage, name, load } of builtinPlugins) {
    await t.test(`the built-in ${stage} plugin ${name} meets the contract`, async (t) => {
      const plugin = await load();
      t.equal(faultOfPlugin(plugin), undefined);
      t.match(plugin, { stage, name }, 'stage and name are those of the list');
    });
  }
  await t.test('a plugin with an invalid name, no create or no default export breaks the contract', async (t) => {
    const plugin = await builtinPlugins[0]?.load();
    t.match(faultOfPlugin({ ...plugin, name: 'Not Valid' }), /name/);
    t.match(faultOfPlugin({ ...plugin, create: undefined }), /create/);
    t.match(faultOfPlugin(undefined), /default/);
  });
});

t.test(
  'a shared plugin instance is closed once by its last holder, in reverse order, even if a closer fails',
  async (t) => {
    const closed: string[] = [];
    const errors: unknown[] = [];
    const pool = new InstancePool((error) => errors.push(error));
    const closer = (name: string) => () => void closed.push(name);
    pool.add('a', {
      value: 1,
      findings: [],
      closers: [
        closer('a1'),
        () => {
          throw new Error('no');
        },
        closer('a2'),
      ],
    });
    pool.add('b', { value: 2, findings: [], closers: [closer('b')] });
    t.equal(pool.hold('a')?.value, 1);
    await pool.release(['a', 'b']);
    t.strictSame(closed, ['b']);
    await pool.release(['a']);
    t.strictSame(closed, ['b', 'a2', 'a1']);
    t.equal(errors.length, 1);
    t.equal(pool.hold('a'), undefined);
  },
);

t.test('a plugin whose create never settles fails after its deadline', async (t) => {
  await t.rejects(withDeadline(new Promise(() => {}), 10, 'its `create`'), {
    message: 'its `create` took longer than 0.01s',
  });
  t.equal(await withDeadline(Promise.resolve(1), 1000, 'it'), 1);
});

t.test('a paused trigger starts without its secrets; an active one needs all of them', async (t) => {
  const secret = { env: 'PULLCORD_TEST_NOT_THERE' };
  const run = { uses: 'http', with: { url: 'https://agent.example/', headers: { authorization: secret } } };
  const callback = { url: 'https://app.example/hook', secret };
  const auth = [
    { uses: 'api-key' },
    { uses: 'basic', with: { users: [{ name: 'a', passwords: [secret], projects: ['support'] }] } },
  ];
  const paused = (key: string, members: object) => [
    `${key}.yaml`,
    triggerFile(key, { status: 'paused', run, callback, auth, ...members }),
  ];
  const off = Object.fromEntries([paused('one', {}), paused('two', {})]);
  const gateway = await startTestGateway(t, { ...basicFiles(), ...off });
  t.strictSame(gateway.gateway.warnings.problems, []);
  t.equal((await gateway.fire('one', {})).status, 404);
  t.equal((await gateway.fire('unknown', {})).status, 404);
  const { problems } = await checkConfig(gateway.root);
  t.ok(problems.length > 0 && problems.every(({ code, severity }) => code === 'missing_secret' && severity === 'note'));

  for (const members of [{ run }, { callback }, { auth }]) {
    const files = { ...basicFiles(), ...off, 'three.yaml': triggerFile('three', members) };
    await t.rejects(startTestGateway(t, files), /missing_secret/);
  }
  const faulty = {
    ...off,
    'one.yaml': triggerFile('one', { status: 'paused', run: { uses: 'http', with: { url: 'x' } } }),
  };
  await t.rejects(startTestGateway(t, { ...basicFiles(), ...faulty }), /bad_option/);
});

t.test('an auth plugin behind one that lets everyone in is refused as unreachable', async (t) => {
  const named = { users: [{ name: 'a', passwords: [{ env: 'PULLCORD_TEST_NOT_THERE' }], projects: ['support'] }] };
  const plugin = join(fixtures, 'reviewed-auth.js');
  const root = await folderWith(t, [plugin], {
    'a.yaml': triggerFile('a', { auth: [{ uses: 'none' }, { uses: 'api-key' }, { uses: 'basic', with: named }] }),
    'b.yaml': triggerFile('b', { auth: [{ uses: 'acme-holders' }, { uses: 'acme-anyone' }, { uses: 'api-key' }] }),
    'c.yaml': triggerFile('c', { auth: [{ uses: 'api-key' }, { uses: 'acme-silent' }, { uses: 'none' }] }),
    'd.yaml': triggerFile('d', { auth: [{ uses: 'acme-broken' }, { uses: 'none' }] }),
  });
  const { problems } = await checkConfig(root);
  const told = problems.map(({ code, severity, message, hint, place }) => [
    `${place.file.slice(root.length + 1)}${place.pointer}`,
    ...[code, severity, message],
    ...(code === 'unreachable_auth' ? [hint] : []),
  ]);
  const never = (name: string) => [
    'unreachable_auth',
    'error',
    `this is never asked: \`${name}\`, which stands before it, lets everyone in`,
    `Put \`${name}\` last, or remove it.`,
  ];
  t.strictSame(told.sort(), [
    ['a.yaml/auth/1/uses', ...never('none')],
    ['a.yaml/auth/2/uses', ...never('none')],
    ['a.yaml/auth/2/with/users/0/passwords/0', 'missing_secret', 'warning', told[2]?.[3]],
    ['b.yaml/auth/2/uses', ...never('acme-anyone')],
    [
      'd.yaml/auth/0',
      'plugin_failed',
      'error',
      'the auth plugin acme-broken failed in `review`: Error: no review today',
    ],
  ]);
  await t.rejects(serveFolder(t, root), /unreachable_auth/);
});

t.test('a stage that reads the header of a credential is refused, whatever its name', async (t) => {
  const filter = (header: string) => [
    { uses: 'jsonata', with: { expression: '$exists($request.headers)', headers: [header] } },
  ];
  const auth = { uses: 'api-key', with: { header: 'x-acme-key' } };
  const files = { ...basicFiles(), 'own.yaml': triggerFile('own', { auth, filter: filter('x-acme-key') }) };
  await t.rejects(startTestGateway(t, files), /bad_option[\s\S]*x-acme-key/);
  const dedup = { uses: 'idempotency-key', with: { header: 'x-acme-key' } };
  await t.rejects(startTestGateway(t, { ...files, 'own.yaml': triggerFile('own', { auth, dedup }) }), /bad_option/);
  for (const uses of ['accepted', 'wait', 'stream']) {
    const respond = (header: string) => ({ uses, with: { headers: [header], dropped: { body: '$request.headers' } } });
    const answering = (header: string) => ({
      ...files,
      'own.yaml': triggerFile('own', { auth, respond: respond(header) }),
    });
    await t.rejects(startTestGateway(t, answering('x-acme-key')), /bad_option[\s\S]*x-acme-key/, uses);
    t.ok(await startTestGateway(t, answering('x-other')));
  }
  const other = { ...files, 'own.yaml': triggerFile('own', { auth, filter: filter('x-other') }) };
  t.ok(await startTestGateway(t, other));
});

/** A filter plugin whose `create` waits, and what became of its instances. */
function waitingPlugin() {
  const opened = Promise.withResolvers<void>();
  const counts = { created: 0, closed: 0 };
  const plugin: FilterPlugin = {
    contract: 'v1',
    stage: 'filter',
    name: 'waiting',
    summary: 'Waits.',
    optionsSchema: { type: 'object', additionalProperties: false },
    async create(context) {
      await opened.promise;
      counts.created += 1;
      context.onClose(() => {
        counts.closed += 1;
      });
      return { evaluate: () => ({ kind: 'passed' }) };
    },
  };
  const place = { file: 'a.yaml', pointer: '' };
  const use: StageUse = { uses: 'waiting', with: {}, folder: '/', place, optionPlaces: () => place };
  return { plugin, use, opened, counts };
}

t.test('what `create` registers after its deadline is closed', async (t) => {
  const { plugin, use, opened, counts } = waitingPlugin();
  const options = { ok: true, options: {}, unresolved: {}, digest: '', hasSecrets: false, secrets: [] } as const;
  const guard = new OutboundGuard(() => []);
  const surroundings = { log: recordingLog(), apiKeys: [], projects: [], guard };
  const created = await createInstance(plugin, use, options, surroundings, 1);
  t.match(created, { ok: false, findings: [{ code: 'plugin_failed', message: /`create` took longer than/ }] });
  opened.resolve();
  await until(() => counts.closed === 1);
});

t.test('two reloads that create the same instance at once share one and close the other', async (t) => {
  const { plugin, use, opened, counts } = waitingPlugin();
  const loaded = await new ConfigLoader(await configFolder(t, basicFiles())).load();
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  const registry = new Registry([]);
  registry.add(plugin);
  const pool = new InstancePool((error) => t.fail(String(error)));
  const both = [1, 2].map(() => new Instances(loaded.config, registry, pool, recordingLog()));
  const provided = Promise.all(both.map((instances) => instances.of('filter', use, 'must')));
  opened.resolve();
  const [first, second] = await provided;
  t.ok(first?.value);
  t.equal(first?.value, second?.value);
  t.strictSame(counts, { created: 2, closed: 1 });
  await both[0]?.release();
  t.strictSame(counts, { created: 2, closed: 1 }, 'the other reload still holds it');
  await both[1]?.release();
  t.strictSame(counts, { created: 2, closed: 2 });
});
