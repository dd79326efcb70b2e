import { hash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { isWellFormed } from '../../src/cli/key-secret.ts';
import { command, processCommand, startCommand } from '../support/command.ts';
import {
  basicFiles,
  configFolder,
  gatewayFile,
  keyFile,
  projectFile,
  secrets,
  triggerFile,
} from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const example = join(import.meta.dirname, '../../config');
const basic = () => ({ ...basicFiles(), 'triggers/echo.yaml': triggerFile('echo') });

/** Starts `serve` and waits until it does; gives where. */
async function serve(t: Test, root: string, env: Record<string, string> = {}) {
  const child = startCommand(t, ['serve', '--config', root], { env });
  if (child.stderr === null) throw new Error('no stderr');
  const lines: Record<string, unknown>[] = [];
  const reader = createInterface(child.stderr);
  const serving = new Promise<{ url: string; admin: string }>((resolve, reject) => {
    reader.on('line', (line) => {
      const entry = JSON.parse(line);
      lines.push(entry);
      if (entry.msg === 'serving') resolve(entry);
    });
    child.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
  });
  const { url, admin } = await serving;
  return { child, url, admin, lines };
}

t.test('validate accepts a valid config and writes only to stderr', async (t) => {
  const ended = await command(t, ['validate', '--config', example]);
  t.match(ended, { code: 0, stdout: '', stderr: /0 errors, 0 warnings/ });
});

t.test('validate prints every problem at once as file:line:col code message, and exits 1', async (t) => {
  const root = await configFolder(t, {
    ...basic(),
    'triggers/bad.yaml': 'version: 1\nkind: Trigger\nproject: suport\nname: bad\nkey: ECHO\nrun: { uses: ecko }\n',
    'triggers/worse.yaml':
      'version: 1\nkind: Trigger\nproject: support\nname: worse\nkey: worse\nfliter: "true"\nrun: { uses: echo }\n',
    'triggers/worst.yaml': 'version: 1\nkind: [',
  });
  const ended = await command(t, ['validate', '--config', root]);
  t.equal(ended.code, 1);
  t.match(ended.stdout, /triggers\/bad\.yaml:3:10 unknown_project .*suport/);
  t.match(ended.stdout, /Did you mean "support"\?/);
  t.match(ended.stdout, /triggers\/worse\.yaml:6:1 unknown_field .*fliter/);
  t.match(ended.stdout, /triggers\/worst\.yaml:2:\d+ /);
  t.match(ended.stdout, />\s*3 \| project: suport/, 'a code frame is printed');
  const json = await command(t, ['validate', '--config', root, '--format', 'json']);
  t.ok(JSON.parse(json.stdout).problems.length >= 3);
  t.match((await command(t, ['validate', '--config', root, '--format', 'github'])).stdout, /^::error file=/m);
  t.equal(JSON.parse((await command(t, ['validate', '--config', root, '--format', 'sarif'])).stdout).version, '2.1.0');
});

t.test('commands as a process', async (t) => {
  const sound = await configFolder(t, { ...basic(), 'triggers/echo.yaml': triggerFile('echo') });
  const broken = await configFolder(t, { ...basic(), 'triggers/bad.yaml': 'kind: Trigger\n' });
  for (const [args, code] of [
    [['keys', 'list', '--config', sound], 0],
    [['validate', '--config', sound], 0],
    [['validate', '--config', broken, '--format', 'json'], 1],
    [['plan', '--config', broken, '--base', sound], 1],
    // A pull request that repairs the base has a plan.
    [['plan', '--config', sound, '--base', broken], 0],
    [['plan', '--config', sound, '--base', sound, '--format', 'json'], 0],
    [['test', '--config', sound, '--format', 'nonsense'], 2],
    [['explain', '--help'], 0],
  ] as const) {
    const shown = args.map((argument) => ({ [sound]: 'valid', [broken]: 'invalid' })[argument] ?? argument).join(' ');
    await t.test(
      `a command has the same output and exit code ${code} in a process and in the tests: ${shown}`,
      async (t) => {
        const ended = await processCommand(t, args);
        t.equal(ended.code, code);
        t.strictSame(await command(t, args), ended);
      },
    );
  }
});

t.test('validate reports problems of expressions, plugins and options', async (t) => {
  const root = await configFolder(t, {
    ...basic(),
    'triggers/a.yaml': triggerFile('a', { filter: 'customer.plan in [' }),
    'triggers/b.yaml': triggerFile('b', { run: { uses: 'ecko' } }),
    'triggers/c.yaml': triggerFile('c', { run: { uses: 'http', with: { url: 'http://127.0.0.1:1/', timeuot: '5s' } } }),
    'triggers/d.yaml': triggerFile('d', {
      run: {
        uses: 'http',
        with: { url: 'http://127.0.0.1:1/', headers: { 'x-token': { env: 'PULLCORD_TEST_ABSENT' } } },
      },
    }),
  });
  const { code, stdout } = await command(t, ['validate', '--config', root]);
  t.equal(code, 1);
  t.match(stdout, /a\.yaml:1:\d+ bad_option /);
  t.match(stdout, /b\.yaml:1:\d+ unknown_plugin [\s\S]*Did you mean "echo"\?/);
  t.match(stdout, /c\.yaml:1:\d+ unknown_field [\s\S]*timeout/);
  t.match(stdout, /d\.yaml:1:\d+ missing_secret .*PULLCORD_TEST_ABSENT/);
});

t.test('validate points at what an expression cannot mean, in YAML of any style', async (t) => {
  const trigger = (key: string, filter: string) =>
    `version: 1\nkind: Trigger\nproject: support\nkey: ${key}\nfilter: ${filter}\nrun: { uses: echo }\n`;
  const cases: Readonly<Record<string, readonly [filter: string, place: string, code: string, words: RegExp]>> = {
    call: ['\'contains(subject, "a")\'', '5:10', 'bad_option error', /\$contains\(/],
    method: ["|\n  plan = 'pro' and\n  subject.includes('a')", '7:11', 'bad_option error', /\$contains\(/],
    unknown: ['$contain(subject, 1)', '5:9', 'bad_option error', /Did you mean \$contains\?/],
    equal: ["'a == b'", '5:13', 'bad_option error', /Write = to compare/],
    header: ['\'$request.header.origin = "a"\'', '5:19', 'option_warning warning', /\$request\.headers\?/],
    unlisted: [
      '\'$request.headers.`x-github-event` = "push"\'',
      '5:27',
      'option_warning warning',
      /"x-github-event" to the option `headers`/,
    ],
    dashes: ['\'x-github-event = "push"\'', '5:10', 'option_warning warning', /\$request\.headers\.`x-github-event`/],
    curly: ['plan = “pro”', '5:16', 'option_warning warning', /straight quotes/],
    literal: ['active = True', '5:18', 'option_warning warning', /Write true/],
    failing: ['\'1 > "a"\'', '5:10', 'option_warning warning', /T2009: the two sides of a comparison/],
  };
  const root = await configFolder(t, {
    ...basic(),
    ...Object.fromEntries(Object.entries(cases).map(([key, [filter]]) => [`${key}.yaml`, trigger(key, filter)])),
  });
  const { code, stdout } = await command(t, ['validate', '--config', root]);
  t.equal(code, 1);
  const printed = stdout.split('\n\n');
  for (const [key, [, place, kind, words]] of Object.entries(cases)) {
    const block = printed.find((one) => one.startsWith(`${join(root, key)}.yaml:`)) ?? '';
    t.match(block, `${key}.yaml:${place} ${kind.replace(' error', '')}`, key);
    t.match(block, words, key);
  }
});

t.test('validate warns of constant filters at their position', async (t) => {
  const trigger = (key: string, filter: string) =>
    `version: 1\nkind: Trigger\nproject: support\nname: ${key}\nkey: ${key}\nfilter: ${filter}\nrun: { uses: echo }\n`;
  const root = await configFolder(t, {
    ...basicFiles(),
    'triggers/always.yaml': trigger('always', 'amount > 10 or 1 = 1'),
    'triggers/again.yaml': trigger('again', 'amount > 10 or 1 = 1'),
    'triggers/unknown.yaml': trigger('unknown', '$reqest.ip = "::1"'),
    'triggers/recursive.yaml': trigger('recursive', '"($f := function($n){ $n = 0 ? true : $f($n - 1) }; $f(n))"'),
  });
  const { code, stdout, stderr } = await command(t, ['validate', '--config', root]);
  t.equal(code, 0);
  t.match(stdout, /always\.yaml:6:26 option_warning warning: the expression is always true: it passes every request/);
  t.match(stdout, /again\.yaml:6:26 option_warning/);
  t.match(stdout, /unknown\.yaml:6:9 option_warning warning: \$reqest is undefined/);
  t.notMatch(stdout, /option_note/);
  t.match(stderr, /0 errors, 3 warnings/);

  const verbose = await command(t, ['validate', '-v', '--config', root]);
  t.match(verbose.stdout, /always\.yaml:6:9 option_note note: compiled/);
  t.match(verbose.stdout, /recursive\.yaml:6:9 option_note note: isolated.*\$f may be a function that calls itself/);
  t.match(verbose.stderr, /0 errors, 3 warnings/);
  const formats = ['--format', 'github'];
  t.match((await command(t, ['validate', '-v', '--config', root, ...formats])).stdout, /^::notice file=/m);
});

t.test('a missing secret is a warning of validate and an error of serve', async (t) => {
  const headers = { 'x-token': { env: 'PULLCORD_TEST_TOKEN' } };
  const root = await configFolder(t, {
    ...basic(),
    'triggers/d.yaml': triggerFile('d', { run: { uses: 'http', with: { url: 'http://127.0.0.1:1/', headers } } }),
  });
  t.match(await command(t, ['validate', '--config', root]), { code: 0, stdout: /warning|missing_secret/ });
  t.match(await command(t, ['serve', '--config', root]), { code: 1, stderr: /missing_secret[\s\S]*status: paused/ });
  t.match(await command(t, ['validate', '--config', root], { env: { PULLCORD_TEST_TOKEN: 'x' } }), {
    code: 0,
    stdout: '',
  });
});

t.test('a missing secret of the engine is a warning of validate', async (t) => {
  const engine = { uses: 'postgres', with: { url: { env: 'PULLCORD_TEST_ABSENT' } } };
  const root = await configFolder(t, { ...basic(), 'gateway.yaml': gatewayFile({ engine }) });
  const checked = await command(t, ['validate', '--config', root]);
  t.match(checked, { code: 0, stdout: /gateway\.yaml:1:\d+ missing_secret warning: .*PULLCORD_TEST_ABSENT/ });
  t.match(await command(t, ['serve', '--config', root]), { code: 1, stderr: /missing_secret .*PULLCORD_TEST_ABSENT/ });
});

/** The addresses of the modules that a command asks for. */
async function modulesOf(t: Test, args: readonly string[]): Promise<string> {
  const record = `import { registerHooks } from 'node:module';
    registerHooks({ load: (url, context, next) => (console.error(url), next(url, context)) });`;
  const nodeOptions = [`--import=data:text/javascript,${encodeURIComponent(record)}`];
  const { code, stderr } = await command(t, args, { nodeOptions });
  t.equal(code, 0);
  return stderr;
}

function namesIn(text: string, pattern: RegExp): readonly string[] {
  return [...new Set([...text.matchAll(pattern)].map(([, name = '']) => name))].sort();
}

t.test('--version loads no module that only commands need', async (t) => {
  const modules = await modulesOf(t, ['--version']);
  t.strictSame(namesIn(modules, /node_modules\/((?:@[^/]+\/)?[^/]+)/g), ['commander', 'fastest-levenshtein']);
  t.notMatch(modules, /node:http/);
});

t.test('validate loads only the plugins that its config uses, and no HTTP module', async (t) => {
  const modules = await modulesOf(t, ['validate', '--config', await configFolder(t, basic())]);
  t.strictSame(namesIn(modules, /\/plugins\/(\w+\/[\w-]+)\//g), ['auth/api-key', 'respond/wait', 'run/echo']);
  t.notMatch(modules, /node_modules\/(?:undici|fastify|pino)\/|node:http/);
});

t.test('usage', async (t) => {
  for (const args of [
    ['nonsense'],
    ['validate', '--nonsense'],
    ['validate', '--format', 'xml'],
    ['validate', '--config', '/no/such/folder'],
    ['keys', 'create', 'not valid!'],
    ['send', 'nonsense'],
  ]) {
    await t.test(`wrong usage exits with 2: pullcord ${args.join(' ')}`, async (t) => {
      const ended = await command(t, args);
      t.equal(ended.code, 2);
      t.match(ended.stderr, /error: /);
      t.equal(ended.stdout, '');
    });
  }
  await t.test('--help and --version exit with 0', async (t) => {
    t.match(await command(t, ['--help']), { code: 0, stdout: /serve[\s\S]*validate[\s\S]*keys[\s\S]*send/ });
    t.match(await command(t, ['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+/ });
  });
});

t.test('keys create prints a secret and a YAML file with its hash', async (t) => {
  const { code, stdout } = await command(t, [
    'keys',
    'create',
    'shop',
    '--projects',
    'support',
    '--expires',
    '2031-01-01',
  ]);
  t.equal(code, 0);
  const secret = /^pc_[0-9A-Za-z]+/.exec(stdout)?.[0] ?? '';
  t.ok(isWellFormed(secret));
  t.notOk(isWellFormed(`${secret.slice(0, -1)}${secret.endsWith('0') ? '1' : '0'}`), 'the checksum detects a typo');
  t.strictSame(parse(stdout.slice(secret.length)), {
    version: 1,
    kind: 'ApiKey',
    id: 'shop',
    secrets: [{ hash: `sha256:${hash('sha256', secret)}`, expires: '2031-01-01' }],
    permissions: ['project.trigger'],
    projects: ['support'],
    status: 'active',
  });
  const another = await command(t, ['keys', 'create', 'shop', '--projects', 'support']);
  t.match(another.stdout, /^pc_/);
  t.not(another.stdout.slice(0, 39), stdout.slice(0, 39));
});

t.test('keys create --write writes a valid key, and never overwrites one', async (t) => {
  const root = await configFolder(t, basic());
  const created = await command(t, ['keys', 'create', 'shop', '--config', root, '--projects', 'support', '--write']);
  t.equal(created.code, 0);
  const secret = created.stdout.trim();
  t.ok(isWellFormed(secret), 'the secret alone is on stdout');
  const file = join(root, 'keys/shop.yaml');
  t.notMatch(await readFile(file, 'utf8'), secret);
  const before = await readFile(file, 'utf8');
  t.equal((await command(t, ['keys', 'create', 'shop', '--config', root, '--write'])).code, 1);
  t.equal(await readFile(file, 'utf8'), before);
  t.match(await command(t, ['keys', 'verify', '--config', root], { stdin: `${secret}\n` }), {
    code: 0,
    stdout: /valid: API key shop/,
  });
  t.match(await command(t, ['keys', 'list', '--config', root]), { code: 0, stdout: /shop {2}active/ });
});

t.test('invalid secrets', async (t) => {
  const root = await configFolder(t, basic());
  for (const [secret, why] of [
    [secrets.expired, /expired/],
    [secrets.revoked, /revoked/],
    ['pc_mistyped', /mistyped/],
  ] as const) {
    await t.test(`keys verify reports why a secret is not valid: ${why.source}`, async (t) => {
      t.match(await command(t, ['keys', 'verify', secret, '--config', root]), { code: 1, stdout: why });
    });
  }
});

t.test('send fires a trigger of a running gateway', async (t) => {
  const { url, root } = await startTestGateway(t, basic());
  const target = ['--url', `${url}/api/v1.0`, '--config', root];
  const env = { PULLCORD_API_KEY: secrets.website };
  const sent = await command(t, ['send', 'support/echo', '-d', '{"instruction":"hello"}', ...target], { env });
  t.equal(sent.code, 0);
  t.match(JSON.parse(sent.stdout), { status: 'succeeded', output: { instruction: 'hello' } });
  t.match(sent.stderr, /^200 OK/);
  const piped = await command(t, ['send', 'support/echo', '-d', '-', ...target], {
    env,
    stdin: '{"instruction":"piped"}',
  });
  t.equal(JSON.parse(piped.stdout).output.instruction, 'piped');
  t.match(await command(t, ['send', 'support/unknown', ...target], { env }), { code: 1, stdout: /trigger_not_found/ });
  t.match(await command(t, ['send', 'support/echo', ...target]), {
    code: 1,
    stdout: /unauthorized/,
    stderr: /^401 Unauthorized\nno credential was sent: set PULLCORD_API_KEY, or add --sign/,
  });
  const mistyped = { env: { PULLCORD_API_KEY: 'pc_mistyped' } };
  t.match(await command(t, ['send', 'support/echo', ...target], mistyped), { code: 1, stderr: '401 Unauthorized\n' });
  t.match(await command(t, ['send', 'support/echo', '--sign', ...target]), {
    code: 1,
    stderr: /no auth of the trigger verifies signatures; leave out --sign, or name a sender/,
  });
  const nobody = ['--url', 'http://127.0.0.1:1/api'];
  t.match(await command(t, ['send', 'support/echo', ...nobody], { env }), {
    code: 1,
    stderr: /no answer .*ECONNREFUSED/,
  });
});

t.test('send prints events as they arrive, and its exit code is that of the outcome', async (t) => {
  const run = { uses: 'echo', with: { stream: true, delay: '1h' } };
  const { url, root, fire } = await startTestGateway(t, {
    ...basic(),
    'talk.yaml': triggerFile('talk', { run: { uses: 'echo', with: { stream: true } }, respond: { uses: 'stream' } }),
    'slow.yaml': triggerFile('slow', { run, respond: { uses: 'stream' } }),
  });
  const target = ['--url', `${url}/api/v1.0`, '--config', root];
  const env = { PULLCORD_API_KEY: secrets.website };
  const sent = await command(t, ['send', 'support/talk', '-d', '{"instruction":"one two"}', ...target], { env });
  t.match(sent, { code: 0, stderr: /^200 OK/, stdout: /event: accepted[\s\S]*"text":"one[\s\S]*event: done/ });

  const child = startCommand(t, ['send', 'support/slow', '-d', '{"instruction":"never"}', ...target], { env });
  let stdout = '';
  child.stdout?.on('data', (chunk) => {
    stdout += chunk;
  });
  const runId = await until(() => /"runId":"([^"]+)"/.exec(stdout)?.[1]);
  await fire('slow', undefined, { method: 'DELETE', path: `/run/${runId}` });
  const [code] = await once(child, 'exit');
  t.equal(code, 1);
  t.match(stdout, /event: error[\s\S]*run_cancelled/);
});

t.test('schema prints an editor schema with the plugins of the config', async (t) => {
  const { code, stdout } = await command(t, ['schema', 'Trigger']);
  t.equal(code, 0);
  t.match(JSON.parse(stdout).$schema, /draft-07/);
  t.match(stdout, /"jsonata"/);
  const plugin = join(import.meta.dirname, '../fixtures/plugins/counting-filter.js');
  const root = await configFolder(t, { ...basic(), 'gateway.yaml': gatewayFile({ plugins: [plugin] }) });
  t.match((await command(t, ['schema', 'Trigger', '--config', root])).stdout, /"has-member"/);
  t.equal((await command(t, ['schema', 'Nonsense'])).code, 2);
});

t.test('serve prints the problems of an invalid config and exits with 1', async (t) => {
  const root = await configFolder(t, { ...basic(), 'triggers/bad.yaml': 'kind: Trigger\n' });
  t.match(await command(t, ['serve', '--config', root]), { code: 1, stdout: '', stderr: /bad\.yaml:1:1 / });
});

for (const name of ['demo.yaml', 'site.yaml']) {
  t.test(`serve refuses the demo key ${name} on any host but loopback`, async (t) => {
    const demo = await readFile(join(example, 'keys', name), 'utf8');
    const projects = { 'a.yaml': projectFile('support'), 'b.yaml': projectFile('engineering') };
    const files = { 'keys/demo.yaml': demo, ...projects, 'c.yaml': triggerFile('chat') };
    const open = await configFolder(t, {
      ...files,
      'gateway.yaml': gatewayFile({ server: { host: '0.0.0.0', port: 0 } }),
    });
    t.match(await command(t, ['serve', '--config', open]), { code: 1, stderr: /demo_key_exposed/ });
    const closed = await configFolder(t, { ...files, 'gateway.yaml': gatewayFile() });
    t.match(await command(t, ['validate', '--config', closed]), { code: 0, stderr: /0 errors, 0 warnings/ });
  });
}

t.test('serve reloads secrets on SIGHUP, exits with 0 on SIGTERM and logs no secret', async (t) => {
  const secretFile = join(await configFolder(t, {}), 'token');
  await writeFile(secretFile, 'canary-one\n');
  const root = await configFolder(t, {
    ...basic(),
    'triggers/tell.yaml': triggerFile('tell', {
      run: {
        uses: 'command',
        with: { argv: ['sh', '-c', 'printf "%s" "$TOKEN"'], env: { TOKEN: { file: secretFile } } },
      },
    }),
  });
  const { child, url, admin, lines } = await serve(t, root);
  const tell = async () => {
    const response = await fetch(`${url}/api/v1.0/project/support/trigger/tell`, {
      method: 'POST',
      headers: { 'x-api-key': secrets.website },
    });
    return ((await response.json()) as { output: string }).output;
  };
  t.equal(await tell(), 'canary-one');
  t.equal((await fetch(`${admin}/livez`)).status, 200);
  t.equal((await fetch(`${admin}/readyz`)).status, 200);
  t.match(
    await (await fetch(`${admin}/metrics`)).text(),
    /pullcord_requests_total\{.*trigger="tell".*outcome="accepted".*\} 1/,
  );
  await writeFile(secretFile, 'canary-two\n');
  child.kill('SIGHUP');
  while ((await tell()) !== 'canary-two');
  await fetch(`${url}/api/v1.0/project/support/trigger/tell`, {
    method: 'POST',
    headers: { 'x-api-key': 'canary-key' },
  });
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  t.equal(code, 0);
  t.match(
    lines.find(({ msg }) => msg === 'run succeeded'),
    { caller: 'website', secret: 'secrets[0]' },
  );
  t.notMatch(JSON.stringify(lines), /canary/);
});

t.test('the admin listener requires its token except for health checks', async (t) => {
  const env = { PULLCORD_TEST_ADMIN: 'canary-token' };
  const root = await configFolder(t, {
    ...basic(),
    'gateway.yaml': gatewayFile({ admin: { port: 0, token: { env: 'PULLCORD_TEST_ADMIN' } } }),
    'keys/website.yaml': keyFile('website'),
  });
  const { admin } = await serve(t, root, env);
  const status = async (path: string, authorization?: string) =>
    (await fetch(admin + path, { headers: authorization === undefined ? {} : { authorization } })).status;
  t.equal(await status('/livez'), 200);
  t.equal(await status('/config'), 401);
  t.equal(await status('/config', 'Bearer wrong'), 401);
  t.equal(await status('/config', 'Bearer canary-token'), 200);
  t.match(
    await command(t, [
      'validate',
      '--config',
      await configFolder(t, { ...basic(), 'gateway.yaml': gatewayFile({ admin: { host: '0.0.0.0', port: 0 } }) }),
    ]),
    { code: 1, stdout: /admin_token_required/ },
  );
});
