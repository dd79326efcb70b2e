import { createHash } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { parse } from 'yaml';
import { askProjects } from '../../src/cli/ask-projects.ts';
import { replaceFile } from '../../src/cli/key-file/replace-file.ts';
import { isWellFormed } from '../../src/cli/key-secret.ts';
import { command } from '../support/command.ts';
import { basicFiles, configFolder, keyFile } from '../support/config-folder.ts';

const digest = (secret: string) => `sha256:${createHash('sha256').update(secret).digest('hex')}`;
const old = digest('old');

/** A folder with a key in a notation, and what rotates the key. */
async function folderWith(t: Test, yaml: string, path = 'keys/shop.yaml') {
  const root = await configFolder(t, { ...basicFiles(), [path]: yaml });
  const file = join(root, path);
  return {
    root,
    file,
    rotate: (...args: string[]) => command(t, ['keys', 'rotate', 'shop', '--config', root, ...args]),
    read: () => readFile(file, 'utf8'),
  };
}

const commented = `# The shop of our partner
version: 1
kind: ApiKey
id: shop   # do not rename
secrets:
  # the first one
  - hash: ${old} # 2026

permissions: [project.trigger] # nothing else
projects:
    - support
`;

t.test('keys rotate adds a secret, prints it once, and keeps every other byte of the file', async (t) => {
  const { root, file, rotate, read } = await folderWith(t, commented, 'partners/north/shop.yml');
  const { code, stdout, stderr } = await rotate();
  t.equal(code, 0, stderr);
  const secret = stdout.trim();
  t.ok(isWellFormed(secret), 'the secret alone is on stdout');
  t.equal(await read(), commented.replace(' # 2026\n', ` # 2026\n  - hash: ${digest(secret)}\n`));
  t.match(stderr, /secrets\[1\]/);
  t.match(stderr, new RegExp(`${file}[\\s\\S]*secrets\\[0\\] +as soon as the caller uses the new secret`));
  t.notMatch(stderr, secret);
  t.match(await command(t, ['validate', '--config', root]), { code: 0 });
  for (const shown of [secret, 'old']) {
    t.match(await command(t, ['keys', 'verify', '--config', root], { stdin: shown }), {
      code: 0,
      stdout: /API key shop/,
    });
  }
  t.strictSame(await readdir(dirname(file)), ['shop.yml'], 'nothing else is left behind');
});

t.test('notations', async (t) => {
  const head = 'version: 1\nkind: ApiKey\nid: shop\n';
  const tail = 'permissions: [project.trigger]\nprojects: [support]\n';
  const notations = {
    'a short form': `${head}secrets: [{ hash: "${old}" }] # one\n${tail}`,
    'a trailing comma': `${head}secrets: [ {hash: "${old}"}, ]\n${tail}`,
    'a list of flow mappings': `${head}secrets:\n- { hash: "${old}", note: "a, b" } # one\n${tail}`,
    'lines in brackets': `${head}secrets: [\n    { hash: "${old}" }\n  ]\n${tail}`,
    'a note over several lines': `${head}${tail}secrets:\n  - hash: ${old}\n    note: |-\n      laptop\n`,
    'windows line ends': `${head}secrets:\n  - hash: ${old}\n    note: one\n${tail}`.replaceAll('\n', '\r\n'),
    'no line end at the end': `${head}${tail}secrets:\n  - hash: ${old}`,
    'a byte order mark': `\ufeff${head}secrets:\n  - hash: ${old}\n${tail}`,
    JSON: `${keyFile('other', { id: 'shop', secrets: [{ hash: old }] })}\n`,
    'JSON on lines': JSON.stringify(parse(keyFile('other', { id: 'shop', secrets: [{ hash: old }] })), undefined, 2),
  };
  for (const [name, yaml] of Object.entries(notations)) {
    for (const options of [
      [],
      ['--expires-old', '2031-01-01', '--expires', '2032-01-01', '--note', '2031: "web", 1'],
    ]) {
      await t.test(`keys rotate keeps ${name} ${options.length > 0 ? 'with options' : ''}`, async (t) => {
        const { root, rotate, read } = await folderWith(t, yaml);
        const before = parse(yaml);
        const { code, stdout, stderr } = await rotate(...options);
        t.equal(code, 0, stderr);
        const after = await read();
        const added = { hash: digest(stdout.trim()) };
        const isShort = options.length === 0;
        t.strictSame(parse(after), {
          ...before,
          secrets: [
            isShort ? before.secrets[0] : { ...before.secrets[0], expires: '2031-01-01' },
            isShort ? added : { ...added, expires: '2032-01-01', note: '2031: "web", 1' },
          ],
        });
        if (yaml.includes('\r\n')) t.equal(after.replaceAll('\r\n', '').includes('\n'), false, 'no other line ends');
        t.equal(after.startsWith('\ufeff'), yaml.startsWith('\ufeff'));
        if (yaml.startsWith('{')) t.same(JSON.parse(after), parse(after), 'it is still JSON');
        // What was there is there, in its order.
        let at = 0;
        for (const character of yaml) at = after.indexOf(character, at) + 1 || Infinity;
        t.ok(at < Infinity);
        t.match(await command(t, ['validate', '--config', root]), { code: 0 });
        t.match(await rotate(), { code: 0 }, 'and again');
        t.equal(parse(await read()).secrets.length, 3);
      });
    }
  }
});

t.test(
  'keys rotate --expires-old never makes a secret valid for longer, and says what to remove by when',
  async (t) => {
    const secrets = [
      { hash: digest('a'), expires: '2020-01-01' },
      { hash: digest('b'), expires: '2030-01-01T00:00:00Z', note: 'laptop of Ana' },
      { hash: digest('c'), expires: '2099-01-01' },
      { hash: digest('d') },
    ];
    const { rotate, read } = await folderWith(t, keyFile('other', { id: 'shop', secrets }));
    const { code, stderr, stdout } = await rotate('--expires-old', '2031-01-01', '--format', 'json');
    t.equal(code, 0, stderr);
    const expiries = ['2020-01-01', '2030-01-01T00:00:00Z', '2031-01-01', '2031-01-01'];
    t.strictSame(
      parse(await read())
        .secrets.slice(0, 4)
        .map((one: { expires: string }) => one.expires),
      expiries,
    );
    const { secret, added, remove } = JSON.parse(stdout);
    t.ok(isWellFormed(secret));
    t.equal(added, 'secrets[4]');
    t.strictSame(
      remove,
      expiries.map((expires, index) => ({
        place: `secrets[${index}]`,
        ...(index === 1 && { note: 'laptop of Ana' }),
        expires,
      })),
    );
    const again = await rotate('--expires-old', '7d');
    t.match(again.stderr, /secrets\[0\] +now: it has expired on 2020-01-01/);
    t.match(again.stderr, /secrets\[3\] +by 20\d\d-\d\d-\d\dT[\d:]+Z/);
    const inDays = (Date.parse(parse(await read()).secrets[3].expires) - Date.now()) / 86_400_000;
    t.ok(inDays > 6.9 && inDays < 7.1);
  },
);

t.test('keys rotate refuses and writes nothing', async (t) => {
  const many = Array.from({ length: 100 }, (_, index) => ({ hash: digest(`${index}`) }));
  const anchored = `version: 1\nkind: ApiKey\nid: shop\nsecrets:\n  -\n    hash: ${old}\npermissions: [project.trigger]\nprojects: [support]\n`;
  const cases = {
    'a revoked key': [keyFile('other', { id: 'shop', secrets: [{ hash: old }], status: 'revoked' }), /is revoked/],
    'a key with too many secrets': [keyFile('other', { id: 'shop', secrets: many }), /has 100 secrets/],
    'a file with errors': [keyFile('other', { id: 'shop', secrets: [{ hash: 'sha256:short' }] }), /has errors/],
    'a notation that it cannot edit': [anchored, /cannot be edited/],
  } as const;
  for (const [name, [yaml, message]] of Object.entries(cases)) {
    await t.test(name, async (t) => {
      const { rotate, read } = await folderWith(t, yaml);
      t.match(await rotate(), { code: 1, stdout: '', stderr: message });
      t.equal(await read(), yaml);
    });
  }
  await t.test('an id that is declared twice', async (t) => {
    const { root, rotate } = await folderWith(t, commented);
    await writeFile(join(root, 'keys/again.yaml'), commented);
    t.match(await rotate(), { code: 1, stdout: '', stderr: /several files: \S+again\.yaml, \S+shop\.yaml/ });
  });
  await t.test('an unknown id, with the one that is meant', async (t) => {
    const { root } = await folderWith(t, commented);
    const rotated = await command(t, ['keys', 'rotate', 'shopp', '--config', root]);
    t.match(rotated, { code: 2, stdout: '', stderr: /unknown API key shopp\. Did you mean "shop"\?/ });
  });
  for (const args of [
    ['--expires', 'soon'],
    ['--expires-old', '7 days'],
    ['--note', 'a\nb'],
    ['--note', ''],
  ]) {
    await t.test(`wrong usage: ${args.join(' ')}`, async (t) => {
      const { rotate, read } = await folderWith(t, commented);
      t.match(await rotate(...args), { code: 2, stdout: '' });
      t.equal(await read(), commented);
    });
  }
});

t.test('keys rotate works beside files with errors, through links, and keeps permissions', async (t) => {
  const { root, file, rotate } = await folderWith(t, commented);
  await writeFile(join(root, 'broken.yaml'), 'kind: [');
  const outside = await mkdtemp(join(tmpdir(), 'pullcord-'));
  t.teardown(() => rm(outside, { recursive: true }));
  const target = join(outside, 'key.yaml');
  await writeFile(target, commented);
  await chmod(target, 0o640);
  await rm(file);
  await symlink(target, file);
  const { code, stdout } = await rotate();
  t.equal(code, 0);
  t.equal(await readlink(file), target, 'the link is one still');
  t.match(await readFile(target, 'utf8'), digest(stdout.trim()));
  t.equal((await stat(target)).mode & 0o777, 0o640);
});

t.test('a secret that keys rotate prints is in the file, however many rotate it at once', async (t) => {
  const { file, rotate, read } = await folderWith(t, commented);
  const all = await Promise.all(Array.from({ length: 4 }, () => rotate()));
  const text = await read();
  const printed = all.filter(({ code }) => code === 0).map(({ stdout }) => digest(stdout.trim()));
  t.ok(printed.length >= 1);
  for (const hash of printed) t.match(text, hash);
  for (const { code, stdout, stderr } of all) {
    if (code !== 0)
      t.match({ code, stdout, stderr }, { code: 1, stdout: '', stderr: /at the same time.*nothing was written/ });
  }
  t.strictSame(
    await readdir(dirname(file)),
    (await readdir(dirname(file))).filter((name) => !name.startsWith('.')),
  );
});

t.test('a file is replaced only as it was read, and by one process', async (t) => {
  const { root, file, read } = await folderWith(t, commented);
  t.notOk(await replaceFile(file, 'older', 'mine'), 'somebody has changed it');
  t.equal(await read(), commented);
  const temporary = join(dirname(file), '.shop.yaml.tmp');
  await writeFile(temporary, 'somebody is writing');
  t.notOk(await replaceFile(file, commented, 'mine'));
  t.equal(await read(), commented);
  t.equal(await readFile(temporary, 'utf8'), 'somebody is writing');
  await utimes(temporary, 0, 0);
  t.ok(await replaceFile(file, commented, 'mine'), 'what a killed process has left is in nobody’s way');
  t.equal(await read(), 'mine');
  t.notOk((await readdir(join(root, 'keys'))).includes('.shop.yaml.tmp'));
});

t.test('keys create refuses an id that exists, and points to keys rotate', async (t) => {
  const { root, read } = await folderWith(t, commented, 'elsewhere/of-the-shop.yaml');
  for (const options of [[], ['--write'], ['--format', 'json']]) {
    const args = ['keys', 'create', 'shop', '--config', root, '--projects', 'support', ...options];
    const refused = await command(t, args);
    t.match(refused, { code: 1, stdout: '', stderr: /exists already[\s\S]*pullcord keys rotate shop/ });
  }
  t.equal(await read(), commented);
  t.notOk((await readdir(join(root, 'keys'))).includes('shop.yaml'));
});

t.test('keys create grants no project that nobody named', async (t) => {
  const { root } = await folderWith(t, commented);
  const create = (...args: string[]) => command(t, ['keys', 'create', 'app', '--config', root, ...args]);
  for (const options of [[], ['--write'], ['--format', 'json']]) {
    t.match(await create(...options), { code: 2, stdout: '', stderr: /missing --projects/ });
  }
  for (const projects of ['', 'not valid', 'support,*']) {
    t.match(await create('--projects', projects), { code: 2, stdout: '' }, projects);
  }
  const all = await create('--projects', '*');
  t.equal(all.code, 0);
  t.match(all.stdout, /projects:\n {2}- "\*"/);
  const some = await create('--projects', 'support,sales', '--format', 'json');
  t.match(JSON.parse(some.stdout).document, { projects: ['support', 'sales'] });
});

t.test('keys create warns about a project that does not exist', async (t) => {
  const { root } = await folderWith(t, commented);
  const create = (...projects: string[]) =>
    command(t, ['keys', 'create', 'app', '--config', root, '--projects', ...projects]);
  t.match(await create('suport'), { code: 0, stderr: /warning: there is no project suport, .* known are support\b/ });
  for (const project of ['support', '*']) t.notMatch((await create(project)).stderr, /warning/);
});

t.test('keys create asks again where a project does not exist', async (t) => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const asked = askProjects(['support', 'sales'], { input, output });
  input.write('suport\n*\n');
  t.strictSame(await asked, ['*']);
  output.end();
  t.match(await text(output), /There is no project suport\.\nWhich/);
});

t.test('keys create asks for projects on a terminal, on stderr, until there is an answer', async (t) => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const asked = askProjects(['support', 'sales'], { input, output });
  input.write('\n  \nsupport, sales\n');
  t.strictSame(await asked, ['support', 'sales']);
  output.end();
  t.equal((await text(output)).match(/Which projects may the key use \(support, sales\)\?/g)?.length, 3);
  const ended = new PassThrough();
  ended.end();
  t.equal(await askProjects([], { input: ended, output: new PassThrough() }), undefined);
});
