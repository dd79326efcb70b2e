import { once } from 'node:events';
import { mkdir, symlink } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { startSite } from '../../src/cli/serve/site.ts';
import { command, startCommand } from '../support/command.ts';
import { basicFiles, configFolder } from '../support/config-folder.ts';
import { type LogLine, recordingLog } from '../support/recording-log.ts';

const files = {
  site: {
    'index.html': '<!doctype html><title>shop</title>',
    'style.css': 'body {}',
    'page.js': 'export {};',
    'notes.unknown': 'notes',
    '.env': 'TOKEN=hidden',
    '.git': { 'config.txt': 'hidden' },
    'a b': { 'index.html': 'inner' },
  },
  'secret.txt': 'hidden',
  outside: { 'secret.txt': 'hidden' },
  modules: { chat: { 'index.js': 'export {};', 'chat.d.ts': '' }, client: {}, cli: { 'index.js': 'hidden' } },
};

async function serveFiles(t: Test, changes: object = {}) {
  const folder = t.testdir(files);
  const root = join(folder, 'site');
  await symlink('../secret.txt', join(root, 'link.txt'));
  await symlink('../outside', join(root, 'folder'));
  await symlink('.env', join(root, 'env.txt'));
  await symlink('style.css', join(root, 'same.css'));
  await mkdir(join(root, 'folder.css'));
  const lines: LogLine[] = [];
  const log = recordingLog(lines);
  const gateway = { host: '127.0.0.1', port: 8080 };
  const site = await startSite({ root, modules: join(folder, 'modules'), port: 0, gateway, log, ...changes });
  if (site === undefined) throw new Error('not served');
  t.teardown(() => site.close());
  const port = Number(new URL(site.url).port);
  return { site, lines, port, get: (target: string, more?: Sent) => exchange(port, target, more) };
}

interface Sent {
  readonly method?: string;
  readonly host?: string;
}

/** The answer to a request as it is: `fetch` would tidy up the path. */
async function exchange(port: number, target: string, { method = 'GET', host = `127.0.0.1:${port}` }: Sent = {}) {
  const socket = connect(port, '127.0.0.1');
  socket.write(`${method} ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  const answer = await text(socket);
  const [head = '', ...body] = answer.split('\r\n\r\n');
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head: head.toLowerCase(), body: body.join('\r\n\r\n') };
}

t.test('serve --site serves the files of the folder', async (t) => {
  const { get } = await serveFiles(t);
  for (const [target, type, body] of [
    ['/', 'text/html; charset=utf-8', files.site['index.html']],
    ['/index.html?a=/../b', 'text/html; charset=utf-8', files.site['index.html']],
    ['/style.css', 'text/css; charset=utf-8', 'body {}'],
    ['/same.css', 'text/css; charset=utf-8', 'body {}'],
    ['/page.js', 'text/javascript; charset=utf-8', 'export {};'],
    ['/a%20b/', 'text/html; charset=utf-8', 'inner'],
    ['/pullcord/chat/index.js', 'text/javascript; charset=utf-8', 'export {};'],
  ] as const) {
    const answer = await get(target);
    t.match(answer, { status: 200, body }, target);
    t.match(answer.head, `content-type: ${type}\r\n`, target);
  }
  const head = await get('/', { method: 'HEAD' });
  t.match(head, { status: 200, body: '' });
  t.match(head.head, `content-length: ${files.site['index.html'].length}`);
});

t.test('serve --site serves no other file', async (t) => {
  const { get } = await serveFiles(t);
  for (const target of [
    ...['/../secret.txt', '/a/../../secret.txt', '/%2e%2e/secret.txt', '/.%2E/secret.txt', '/..%2fsecret.txt'],
    ...['/%2e%2e%2fsecret.txt', '/..%5csecret.txt', '/..\\secret.txt', '//secret.txt', '/./style.css', '/a%20b//'],
    ...['/index.html%00.txt', '/style.css%00', '/%', '/%ff', '/%c0%ae%c0%ae/secret.txt', '/%252e%252e/secret.txt'],
    ...['/link.txt', '/folder/secret.txt', '/env.txt', '/.env', '/%2eenv', '/.git/config.txt', '/.git/'],
    ...['/missing.html', '/a%20b', '/folder.css', '/folder.css/', '/style.css/', '/notes.unknown', '*'],
    ...['/pullcord/cli/index.js', '/pullcord/chat/../cli/index.js', '/pullcord/chat/chat.d.ts', '/pullcord/client/'],
    ...['/pullcord/chat/missing.js', '/pullcord/', '/pullcord/chat/index.js/index.js', `/${'a'.repeat(5000)}.html`],
    'http://127.0.0.1/../secret.txt',
  ]) {
    const { status, body } = await get(target);
    t.match(status, 404, target);
    t.notMatch(body, /hidden|body \{/, target);
  }
  t.equal((await get('style.css')).status, 400);
});

t.test('serve --site answers GET and HEAD, on the names of this machine alone', async (t) => {
  const { get, port } = await serveFiles(t);
  for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']) {
    const answer = await get('/', { method });
    t.equal(answer.status, 405, method);
    t.match(answer.head, 'allow: get, head', method);
  }
  for (const host of [`localhost:${port}`, 'LOCALHOST', `127.0.0.1:${port}`, `[::1]:${port}`]) {
    t.equal((await get('/', { host })).status, 200, host);
  }
  for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example', '127.0.0.1.evil.example', '']) {
    t.equal((await get('/', { host })).status, 421, host);
  }
});

t.test('every answer of serve --site has a strict policy that names the gateway', async (t) => {
  const { get } = await serveFiles(t);
  for (const target of ['/', '/missing.html']) {
    const { head } = await get(target);
    t.match(head, 'x-content-type-options: nosniff');
    t.match(head, "content-security-policy: default-src 'none'");
    t.match(head, "connect-src 'self' http://127.0.0.1:8080 http://localhost:8080;");
    t.match(head, "require-trusted-types-for 'script'; trusted-types 'none'");
    t.notMatch(head, /unsafe|access-control/);
  }
  for (const [host, origins] of [
    ['0.0.0.0', 'http://127.0.0.1:80 http://localhost:80'],
    ['::1', 'http://127.0.0.1:80 http://localhost:80'],
    ['192.0.2.7', 'http://192.0.2.7:80'],
    ['2001:db8::7', ''],
  ] as const) {
    const { get } = await serveFiles(t, { gateway: { host, port: 80 } });
    t.match((await get('/')).head, `connect-src 'self'${origins && ' '}${origins};`, host);
  }
});

t.test('serve --site says that the chat is not built', async (t) => {
  const { get, lines } = await serveFiles(t, { modules: t.testdir() });
  t.equal((await get('/pullcord/chat/index.js')).status, 404);
  t.match(lines, [{ message: 'the chat is not built: run `npm run build`' }]);
});

t.test(
  'serve stops at once with connections to the site open, and serves without it if its port is taken',
  async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    t.teardown(() => other.close());
    const taken = (other.address() as AddressInfo).port;
    const site = t.testdir({ 'index.html': 'shop' });
    for (const port of [0, taken]) {
      const args = [
        'serve',
        '--config',
        await configFolder(t, basicFiles()),
        '--site',
        site,
        '--site-port',
        String(port),
      ];
      const child = startCommand(t, args);
      const lines: Record<string, unknown>[] = [];
      const ends = new Promise<unknown>((resolve, reject) => {
        createInterface(child.stderr ?? process.stdin).on('line', (line) => {
          lines.push(JSON.parse(line));
          if (/the site/.test(line)) resolve(lines.at(-1));
        });
        child.once('exit', (code) => reject(new Error(`serve ended with ${code}`)));
      });
      const line = await ends;
      if (port === taken) {
        t.match(line, { level: 40, port: taken, msg: 'the site is not served; name another port with --site-port' });
        t.match(lines, [{ msg: 'serving' }], 'the gateway serves');
      } else {
        t.match(line, { level: 30, url: /^http:\/\/127\.0\.0\.1:\d+$/, msg: 'serving the site' });
        const { url } = line as { url: string };
        const socket = connect(Number(new URL(url).port), '127.0.0.1').on('error', () => {});
        t.teardown(() => socket.destroy());
        socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
        await once(socket, 'data');
      }
      child.kill('SIGTERM');
      t.strictSame(await once(child, 'exit'), [0, null]);
    }
  },
);

t.test('serve refuses a site that is no folder, and a port that is none', async (t) => {
  const config = ['serve', '--config', await configFolder(t, basicFiles())];
  const site = t.testdir({ 'index.html': '' });
  t.match(await command(t, [...config, '--site', join(site, 'index.html')]), { code: 2, stderr: /--site DIR/ });
  for (const port of ['65536', '-1', '80a', '']) {
    t.match(
      await command(t, [...config, '--site', site, '--site-port', port]),
      { code: 2, stderr: /0 to 65535/ },
      port,
    );
  }
});
