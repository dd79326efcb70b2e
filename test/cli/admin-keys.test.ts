import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { isWellFormed } from '../../src/cli/key-secret.ts';
import { adminToken } from '../support/admin.ts';
import { command } from '../support/command.ts';
import { basicFiles, configFolder, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';

const digest = (secret: string) => `sha256:${hash('sha256', secret)}`;
const old = `sha256:${'a'.repeat(64)}`;

async function folderWith(t: Test, yaml: string) {
  const root = await configFolder(t, { ...basicFiles(), 'gateway.yaml': yaml });
  return {
    root,
    create: (...args: string[]) => command(t, ['keys', 'create', '--admin', ...args, '--config', root]),
    read: () => readFile(join(root, 'gateway.yaml'), 'utf8'),
  };
}

const head = 'version: 1\nkind: Gateway\norganization: acme\n';

t.test('keys create --admin adds a token to gateway.yaml, prints it once, and keeps every other byte', async (t) => {
  const yaml = `# ours
${head}admin: # never public
  port: 9091 # free
  tokens:
    # the first
    - id: ops
      role: operate
      hash: ${old} # 2026

engine: { uses: memory } # for now
`;
  const { root, create, read } = await folderWith(t, yaml);
  const { code, stdout, stderr } = await create('--id', 'watcher', '--role', 'read', '--expires', '2999-06-30');
  t.equal(code, 0, stderr);
  const secret = stdout.trim();
  t.match(secret, /^pca_[0-9A-Za-z]{36}$/);
  t.ok(isWellFormed(secret), 'the token alone is on stdout');
  t.notMatch(stderr, secret);
  const added = `    - id: watcher\n      role: read\n      hash: ${digest(secret)}\n      expires: 2999-06-30\n`;
  t.equal(await read(), yaml.replace(' # 2026\n', ` # 2026\n${added}`));
  t.match(await command(t, ['validate', '--config', root]), { code: 0 });
  t.match(await command(t, ['keys', 'verify', '--config', root], { stdin: secret }), {
    code: 0,
    stdout: /^valid: admin token watcher; role read/,
  });
  const listed = await command(t, ['keys', 'list', '--config', root]);
  t.match(listed.stdout, /^ops {2}active {2}admin {2}role operate {2}expires never$/m);
  t.match(listed.stdout, /^watcher {2}active {2}admin {2}role read {2}expires 2999-06-30T00:00:00.000Z$/m);
  const rows = JSON.parse((await command(t, ['keys', 'list', '--format', 'json', '--config', root])).stdout);
  t.match(rows.at(-1), {
    id: 'watcher',
    use: 'admin',
    role: 'read',
    secrets: [{ expires: '2999-06-30T00:00:00.000Z' }],
  });
});

t.test('notations', async (t) => {
  const notations = {
    'no admin': head,
    'no admin, and no line end at the end': head.trimEnd(),
    'no admin, and windows line ends': head.replaceAll('\n', '\r\n'),
    'a byte order mark': `\ufeff${head}`,
    'an empty admin': `${head}admin: {}\n`,
    'a short admin': `${head}admin: { host: 127.0.0.1, port: 9091 } # short\nengine: { uses: memory }\n`,
    'an admin in lines': `${head}admin:\n  host: 127.0.0.1\n  port: 9091 # free\n\n# the engine\nengine: { uses: memory }\n`,
    'an admin at the end': `${head}admin:\n    port: 9091`,
    'an admin that ends with a list': `${head}admin:\n  hosts:\n    - pullcord.internal # ours\n  # end\nengine: { uses: memory }\n`,
    'an empty list': `${head}admin:\n  tokens: [] # none yet\n  port: 9091\n`,
    'a short list': `${head}admin: { tokens: [{ id: ops, role: operate, hash: "${old}" }] }\n`,
    'a list of flow mappings': `${head}admin:\n  tokens:\n  - { id: ops, role: operate, hash: "${old}" } # one\n`,
    JSON: `${gatewayFile()}\n`,
    'JSON on lines': JSON.stringify(JSON.parse(gatewayFile()), undefined, 2),
  };
  for (const [name, yaml] of Object.entries(notations)) {
    await t.test(`keys create --admin keeps ${name}`, async (t) => {
      const { root, create, read } = await folderWith(t, yaml);
      const before = parse(yaml);
      const { code, stdout, stderr } = await create('123', '--role', 'operate', '--note', 'on call: "A", B');
      t.equal(code, 0, stderr);
      const text = await read();
      const token = { id: '123', role: 'operate', hash: digest(stdout.trim()), note: 'on call: "A", B' };
      t.strictSame(parse(text), {
        ...before,
        admin: { ...before.admin, tokens: [...(before.admin?.tokens ?? []), token] },
      });
      if (!name.startsWith('an empty') && name !== 'JSON') {
        for (const line of yaml.split(/[\r\n]+/)) t.ok(text.includes(line.replace(/[\]} ]*( #.*)?$/, '')), line);
      }
      for (const comment of yaml.match(/# .*/g) ?? []) t.ok(text.includes(comment), comment);
      t.match(await command(t, ['validate', '--config', root]), { code: 0 });
      if (name.startsWith('JSON')) JSON.parse(text);
    });
  }
});

t.test('keys create --admin refuses what makes no sense, and writes nothing', async (t) => {
  const { declared } = adminToken('ops', 'operate');
  const yaml = gatewayFile({ admin: { tokens: [declared], token: { env: 'PULLCORD_ADMIN_TOKEN' } } });
  const { root, create, read } = await folderWith(t, yaml);
  const refused: readonly (readonly [args: readonly string[], code: number, message: RegExp])[] = [
    [['ops', '--role', 'read'], 1, /admin token ops exists already/],
    [['token', '--role', 'read'], 1, /admin token token exists already/],
    [['loopback', '--role', 'read'], 1, /Choose another id/],
    [['new'], 2, /--role read, or --role operate/],
    [['new', '--role', 'admin'], 2, /Allowed choices are read, operate/],
    [['--role', 'read'], 2, /missing id/],
    [['new', '--role', 'read', '--projects', 'support'], 2, /neither --projects/],
    [['new', '--role', 'read', '--expires', 'soon'], 2, /not a date/],
  ];
  for (const [args, code, message] of refused) {
    const result = await create(...args);
    t.match(result, { code, stdout: '', stderr: message }, args.join(' '));
  }
  t.equal(await read(), yaml);
  t.match(await command(t, ['keys', 'create', 'x', '--role', 'read', '--config', root]), { code: 2 });
  t.match(await command(t, ['keys', 'rotate', 'ops', '--config', root]), {
    code: 1,
    stderr: /ops is an admin token, which has one secret/,
  });
  const empty = await configFolder(t, {});
  t.match(await command(t, ['keys', 'create', '--admin', 'x', '--role', 'read', '--config', empty]), { code: 1 });
});

t.test('commands send PULLCORD_ADMIN_TOKEN, and say what is missing or too small', async (t) => {
  const [ops, watcher] = [adminToken('ops', 'operate'), adminToken('watcher', 'read')];
  const { adminUrl } = await startTestGateway(t, {
    ...basicFiles(),
    'echo.yaml': triggerFile('echo'),
    'gateway.yaml': gatewayFile({ admin: { port: 0, tokens: [ops.declared, watcher.declared] } }),
  });
  const run = (args: readonly string[], token?: string) =>
    command(t, [...args], { env: token === undefined ? {} : { PULLCORD_ADMIN_TOKEN: token } });
  const url = ['--admin-url', adminUrl];
  t.match(await run(['runs', 'list', ...url], watcher.secret), { code: 0, stderr: /no runs/ });
  t.match(await run(['runs', 'list', ...url]), { code: 1, stderr: /requires a token: set PULLCORD_ADMIN_TOKEN/ });
  t.match(await run(['runs', 'list', ...url], 'pca_wrong'), { code: 1, stderr: /rejected this token/ });
  t.match(await run(['runs', 'cancel', 'x', ...url], watcher.secret), {
    code: 1,
    stderr: /needs a token with the role operate; watcher has the role read/,
  });
  t.match(await run(['runs', 'cancel', 'x', ...url], ops.secret), { code: 1, stderr: /run x not found/ });
  const listed = await run(['audit', 'list', '--json', ...url], watcher.secret);
  t.match(JSON.parse(listed.stdout), {
    entries: [
      { actor: 'ops', outcome: 'failed' },
      { actor: 'watcher', outcome: 'refused' },
    ],
    next: null,
  });
  const shown = await run(['audit', 'list', '--actor', 'ops', ...url], watcher.secret);
  t.match(shown.stdout, /^\S+ +ops +operate +runs\.cancel +x +failed \(run_not_found\)/m);
  const exported = await run(['audit', 'export', '--action', 'runs.cancel', ...url], watcher.secret);
  t.equal(exported.stdout.trimEnd().split('\n').length, 2);
  t.match(exported.stderr, /2 entries/);
  t.match(await run(['audit', 'list', '--since', 'yesterday', ...url], ops.secret), {
    code: 2,
    stderr: /since must be/,
  });
});

t.test('a command on the store of a gateway that is not running has an entry, by the user of the system', async (t) => {
  const { gateway, fire, root } = await startTestGateway(t, {
    ...basicFiles(),
    'slow.yaml': triggerFile('slow', { run: { uses: 'echo', with: { delay: '1h' } }, respond: { uses: 'accepted' } }),
    'gateway.yaml': gatewayFile({ engine: { uses: 'sqlite' }, limits: [{ runs: '9/1d', name: 'daily' }] }),
  });
  const { runId } = (await fire('slow', {})).body;
  await gateway.close();
  const run = (...args: string[]) => command(t, [...args, '--config', root]);
  t.equal((await run('runs', 'cancel', runId)).code, 0);
  t.equal((await run('limits', 'reset', 'daily', '--all')).code, 0);
  const { stdout } = await run('audit', 'export');
  const cli = { actor: `cli:${userInfo().username}`, role: null, ip: null, requestId: null, outcome: 'succeeded' };
  t.match(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
    [
      {
        ...cli,
        action: 'runs.cancel',
        target: runId,
        before: { state: /queued|running/ },
        after: { state: 'cancelled' },
      },
      { ...cli, action: 'limits.reset', before: { used: 1 }, after: { counters: 1 } },
    ],
  );
});
