import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { senderSteps } from '../../src/cli/init/sender-files.ts';
import { senders } from '../../src/cli/init/senders/senders.ts';
import { command } from '../support/command.ts';
import { configFolder } from '../support/config-folder.ts';
import { serveFolder } from '../support/serve-folder.ts';

/** A repository of init with the triggers of some senders. */
async function repository(t: Test, names: readonly string[]): Promise<{ root: string; secret: string }> {
  const root = join(await configFolder(t, {}), 'acme');
  const ended = await command(t, ['init', root, '--ci', 'none', ...names.flatMap((name) => ['--template', name])]);
  t.equal(ended.code, 0, ended.stderr);
  return { root, secret: ended.stdout.trim() };
}

const variables = [...senders.values()].flatMap(({ secretVariable }) => secretVariable ?? []);
const secretsOfSenders = Object.fromEntries(variables.map((name) => [name, `the secret of ${name}`]));

/** The arguments of a command as a shell reads them, quotes removed. */
function argumentsOf(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, plain]) => single ?? double ?? plain ?? '',
  );
}

t.test('every template has the senders that the documentation names, and full coverage by its own tests', async (t) => {
  const names = [...senders.keys()];
  t.strictSame(names, ['github', 'stripe', 'slack', 'shopify', 'gitlab', 'alertmanager', 'linear', 'twilio']);
  const { root } = await repository(t, names);
  const config = join(root, 'config');
  t.match(await command(t, ['validate', '--config', config], { env: secretsOfSenders }), { code: 0, stdout: '' });
  const tested = await command(t, ['test', '--config', config, '--min-coverage', '100']);
  t.match(tested, { code: 0, stdout: /: all passed; filters covered 100 %/ }, tested.stdout);
  const readme = await readFile(join(root, 'README.md'), 'utf8');
  for (const sender of senders.values()) t.ok(readme.includes(senderSteps(sender, 'support')), sender.name);
});

t.test(
  'the request that the steps of a template show fires its trigger, and is refused with another secret',
  async (t) => {
    const { root, secret } = await repository(t, [...senders.keys()]);
    const variables = [...senders.values()].flatMap(({ secretVariable }) => secretVariable ?? []);
    const env = Object.fromEntries(variables.map((name) => [name, `the secret of ${name}`]));
    const url = await serveFolder(t, join(root, 'config'), env);
    for (const { name, tryWith, secretVariable } of senders.values()) {
      const request = [
        'send',
        `support/${name}`,
        ...argumentsOf(tryWith),
        '--url',
        `${url}/api/v1.0`,
        '--config',
        join(root, 'config'),
      ];
      const signed = [...request, ...(secretVariable === undefined ? [] : ['--sign', name])];
      const good = secretVariable === undefined ? { PULLCORD_API_KEY: secret } : env;
      const fired = await command(t, signed, { env: good });
      t.match(
        fired,
        { code: 0, stderr: name === 'twilio' ? /^204 / : /^202 / },
        `${name}: ${fired.stderr} ${fired.stdout}`,
      );
      const bad =
        secretVariable === undefined
          ? { PULLCORD_API_KEY: `${secret}x` }
          : { ...env, PULLCORD_SIGNING_SECRET: 'another' };
      t.match(await command(t, signed, { env: bad }), { code: 1, stderr: /^401 / }, name);
    }
  },
);

t.test('a template is added to a config that exists, without a key, and without overwriting anything', async (t) => {
  const { root } = await repository(t, []);
  const before = await readFile(join(root, 'README.md'), 'utf8');
  const added = await command(t, ['init', root, '--template', 'stripe', '--project', 'billing']);
  t.match(added, { code: 0, stdout: '', stderr: /STRIPE_WEBHOOK_SECRET/ });
  t.match(await command(t, ['validate', '--config', join(root, 'config')]), {
    code: 0,
    stderr: /2 projects, 2 triggers/,
  });
  t.equal(await readFile(join(root, 'README.md'), 'utf8'), before);
  const again = await command(t, ['init', root, '--template', 'stripe', '--project', 'billing']);
  t.match(again, { code: 1, stderr: /exist already; nothing was written:\n.*stripe\.yaml/ });
  await writeFile(join(root, 'config/gateway.yaml'), 'kind: Nothing\n');
  t.match(await command(t, ['init', root, '--template', 'slack']), { code: 1, stderr: /gateway\.yaml/ });
  t.match(await command(t, ['init', root, '--template', 'guthub']), { code: 2, stderr: /github/ });
});

t.test('the folder may follow --template, which can be repeated', async (t) => {
  const root = join(await configFolder(t, {}), 'acme');
  const ended = await command(t, ['init', '--template', 'github', '--template', 'slack', root]);
  t.match(ended, { code: 0, stderr: /github\.yaml\n.*slack\.yaml/ });
});
