import { hash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { command } from '../support/command.ts';
import {
  basicFiles,
  configFolder,
  durable,
  gatewayFile,
  keyFile,
  secrets,
  triggerFile,
  writeInto,
} from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';

/** Stands in every place that holds a secret; what each command prints is searched for it. */
const canary = 'c4n4ry';
const env = {
  CANARY_ADMIN: `${canary}-admin`,
  CANARY_CALLBACK: `${canary}-callback`,
  CANARY_AGENT: `${canary}-agent`,
  CANARY_OTHER: `${canary}-other`,
};

/** @param version what differs between the two configs that are compared */
function files(version: 1 | 2, secretFile: string): Record<string, string> {
  const variable = version === 1 ? 'CANARY_AGENT' : 'CANARY_OTHER';
  // Credentials before the @ are refused when it serves; a plan may still meet them.
  const user = version === 1 ? `user:${canary}-1@` : '';
  const agent = `http://${user}127.0.0.1:1/agent?api_key=${canary}-${version}&shop=berlin`;
  const expression = version === 1 ? 'customer.plan = "pro"' : 'customer.plan != "free"';
  return {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({
      admin: { port: 0, token: { env: 'CANARY_ADMIN' } },
      engine: durable,
      recording: { rate: 1, mask: ['/token', '/customer/card'] },
    }),
    'keys/website.yaml': keyFile('website', {
      secrets: [
        { hash: `sha256:${hash('sha256', secrets.website)}` },
        { hash: `sha256:${hash('sha256', `${canary}-${version}`)}`, expires: '2090-01-01' },
      ],
    }),
    'ask.yaml': triggerFile('ask', {
      filter: [
        {
          name: 'pros',
          uses: 'jsonata',
          with: { expression, headers: ['x-shop', 'x-auth-token', 'x-secret-of-shop'] },
        },
        { name: 'shop', uses: 'jsonata', with: { expression: '$request.ip != "::2"', headers: ['x-session-token'] } },
      ],
      record: { mask: ['/token', '/customer/card'] },
      run: {
        uses: 'http',
        with: {
          url: agent,
          headers: { authorization: { env: variable }, 'x-file': { file: secretFile }, 'x-version': `${version}` },
        },
      },
      callback: {
        url: `https://hooks.example.com/x?token=${canary}-${version}`,
        secret: version === 1 ? { env: 'CANARY_CALLBACK' } : { file: secretFile },
      },
      tests: [
        { name: 'passes', body: { customer: { plan: 'pro' } }, expect: { verdict: 'accepted' } },
        { name: 'fails', body: { customer: { plan: 'free' } }, expect: { verdict: 'accepted', status: 418 } },
      ],
    }),
    'program.yaml': triggerFile('program', {
      run: { uses: 'command', with: { argv: ['sh', '-c', 'exit 1'], env: { TOKEN: { env: variable } } } },
    }),
  };
}

t.test('no secret is in the output of any command, in a recording or in a plan', async (t) => {
  const secretFile = join(await configFolder(t, {}), 'secret');
  await writeFile(secretFile, `${canary}-file\n`);
  for (const [name, value] of Object.entries(env)) process.env[name] = value;
  t.teardown(() => {
    for (const name of Object.keys(env)) delete process.env[name];
  });
  const base = await configFolder(t, files(1, secretFile));
  const gateway = await startTestGateway(t, files(2, secretFile));
  const head = gateway.root;
  const headers = {
    authorization: `Basic ${canary}`,
    cookie: `session=${canary}`,
    'x-auth-token': canary,
    'x-secret-of-shop': canary,
    'x-session-token': canary,
    'x-shop': 'berlin',
  };
  for (const plan of ['pro', 'free', 'team']) {
    const body = { customer: { plan, card: `${canary}-card` }, token: `${canary}-body` };
    await gateway.fire('ask', body, { headers });
    await gateway.fire('program', { instruction: plan }, { headers });
  }
  await gateway.fire('ask', {}, { secret: `${canary}-wrong-key`, headers });

  const printed: [string, string][] = [];
  const run = async (...args: string[]) => {
    const { stdout, stderr, code } = await command(t, args, {
      env: { ...env, PULLCORD_ADMIN_TOKEN: env.CANARY_ADMIN },
    });
    t.ok(code === 0 || code === 1, `${args.join(' ')} ends as a command should: ${stderr}`);
    printed.push([args.join(' '), `${stdout}\n${stderr}`]);
    return stdout;
  };
  const url = ['--config', head, '--admin-url', gateway.adminUrl];
  const exported = join(head, 'requests.jsonl');
  await run('requests', 'export', '--out', exported, ...url);
  printed.push(['the export itself', await readFile(exported, 'utf8')]);
  const listed = JSON.parse(await run('requests', 'list', '--json', ...url)).requests;
  // One of each trigger.
  for (const { id } of listed.slice(0, 2)) await run('requests', 'show', id, ...url);
  await run('explain', listed[0].id, '--format', 'json', ...url);
  await run('explain', listed[1].id, ...url);
  const { runs } = JSON.parse(await run('runs', 'list', '--json', ...url));
  for (const { runId } of runs.slice(0, 2)) await run('runs', 'show', runId, ...url);
  for (const format of ['text', 'json', 'github', 'sarif'])
    await run('validate', '-v', '--config', head, '--format', format);
  for (const format of ['text', 'json', 'junit', 'github', 'sarif'])
    await run('test', '--config', head, '--format', format);
  for (const format of ['text', 'markdown', 'json', 'github', 'sarif']) {
    const plan = ['plan', '--config', head, '--base', base, '--format', format];
    const text = await run(...plan, '--requests', exported);
    t.match(text, /CANARY_AGENT|run: http headers/, 'the plan still shows what differs');
    if (format === 'text' || format === 'sarif') await run(...plan);
  }
  await run('keys', 'list', '--config', head);
  await run('keys', 'list', '--config', head, '--format', 'json');
  await run('keys', 'verify', `${canary}-2`, '--config', head);
  await run('schema', '--config', head);
  printed.push(['/config', await adminText(gateway.adminUrl, '/config')]);
  printed.push(['/metrics', await adminText(gateway.adminUrl, '/metrics')]);
  await gateway.gateway.close();
  printed.push(['the log', JSON.stringify(gateway.log)]);
  for (const file of await readdir(join(head, 'data'))) {
    printed.push([`data/${file}`, await readFile(join(head, 'data', file), 'latin1')]);
  }

  const digests = [canary, ...[1, 2].map((version) => hash('sha256', `${canary}-${version}`))];
  for (const [what, text] of printed) {
    for (const digest of digests) t.equal(linesWith(text, digest), '', `${what} does not contain ${digest}`);
  }
});

t.test('literal secrets', async (t) => {
  const secretFile = join(await configFolder(t, {}), 'secret');
  await writeFile(secretFile, 'whatever');
  const good = files(1, secretFile);
  const root = await configFolder(t, { ...good, 'keys/extra.yaml': keyFile('other') });
  await writeInto(root, 'gateway.yaml', `version: 1\nkind: Gateway\norganization: acme\nadmin:\n  token: ${canary}\n`);
  const head = await configFolder(t, good);
  const withCredentials = await configFolder(t, good);
  for (const args of [
    ['validate', '--config', withCredentials],
    ['validate', '--config', withCredentials, '--format', 'json'],
    ['serve', '--config', withCredentials],
    ['validate', '--config', root],
    ['validate', '--config', root, '--format', 'sarif'],
    ['test', '--config', root],
    ['explain', 'ask', '--config', root],
    ['plan', '--config', root, '--base', head],
    ['plan', '--config', head, '--base', root],
    ['keys', 'list', '--config', root],
    ['serve', '--config', root],
  ]) {
    const folders = { [withCredentials]: 'url-with-credentials', [root]: 'literal-token', [head]: 'valid' };
    const shown = args.map((argument) => folders[argument] ?? argument).join(' ');
    await t.test(`a literal secret is reported but never printed: ${shown}`, async (t) => {
      const { code, stdout, stderr } = await command(t, args, { env });
      // A base with problems keeps no change from being planned.
      t.equal(code, args.at(-1) === root && args[0] === 'plan' ? 0 : 1);
      t.match(stdout + stderr, /literal_secret|gateway\.yaml|credentials/);
      t.notMatch(stdout + stderr, canary);
    });
  }
});

async function adminText(url: string, path: string): Promise<string> {
  return (await fetch(url + path, { headers: { authorization: `Bearer ${env.CANARY_ADMIN}` } })).text();
}

function linesWith(text: string, secret: string): string {
  return text
    .split('\n')
    .filter((line) => line.includes(secret))
    .join('\n');
}
