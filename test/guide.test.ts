import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { type Test, test } from 'tap';
import { pullcordScript } from './support/command-server.ts';
import { writeInto } from './support/config-folder.ts';
import { freePort } from './support/free-port.ts';
import { type CodeBlock, codeBlocks } from './support/markdown.ts';

const root = join(import.meta.dirname, '..');

/** What a block of commands did. */
interface Ran {
  readonly commands: string;
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

test('the guide can be followed from its first command to its last, with the results that it shows', async (t) => {
  const shell = await newShell(t);
  const ran: Ran[] = [];
  for (const block of codeBlocks(await readFile(join(root, 'docs/guide.md'), 'utf8'))) {
    if (block.text.trim() === 'pullcord serve') await shell.serve();
    else if (block.language === 'sh') {
      const result = await shell.run(block);
      t.match(result, { code: 0 }, `docs/guide.md:${block.line} exits 0`);
      ran.push(result);
    } else if (block.language === 'yaml') await shell.write(block);
  }
  const last = (command: string) => ran.findLast(({ commands }) => commands.includes(command));
  t.match(ran[0]?.stdout, /^pc_\w{36}$/m, 'the secret is printed');

  const first = ran.find(({ stdout }) => stdout.includes('shop/refund'));
  t.match(first, { commands: 'pullcord test\n', stdout: 'order.total > 0 was never false' });
  t.match(first?.stdout, /✓ a pro customer asks for a refund\n *✓ a free customer is dropped/, 'both pass');
  t.ok(coverageOf(first) < 100, 'the first tests do not cover everything');
  t.equal(coverageOf(last('pullcord test')), 100);
  t.match(last('pullcord explain'), { stdout: /✓ customer\.plan = "pro"[\s\S]*✗ order\.total > 0/ });

  const [plan, withRequests] = ran.filter(({ commands }) => commands.includes('pullcord plan'));
  t.match(plan?.stdout, /shop\/refund/);
  t.match(plan?.stdout, /my-app/, 'the plan names the key that may fire it');
  t.match(withRequests?.stdout, /recording/);
  t.match(withRequests?.stdout, /2 of 2 requests change: 1 newly accepted/);
  t.match(last('requests list')?.stdout, /dropped +paying customers[\s\S]*accepted/);
  t.match(last('pullcord send')?.stdout, /"code":"filtered"/);
});

function coverageOf(ran: Ran | undefined): number {
  return Number(/shop\/refund[\s\S]*?coverage ([\d.]+) %/.exec(ran?.stdout ?? '')?.[1]);
}

/** A shell in a home of its own, with `pullcord` and git: what one block changes in the folder, the next one finds. */
async function newShell(t: Test) {
  const home = await mkdtemp(join(tmpdir(), 'pullcord-guide-'));
  t.teardown(() => rm(home, { recursive: true, force: true }));
  await pullcordScript(t, join(home, 'bin'));
  let cwd = join(home, 'work');
  await mkdir(cwd);
  const env = {
    PATH: [join(home, 'bin'), process.env.PATH].join(delimiter),
    HOME: home,
    NO_COLOR: '1',
    GIT_CONFIG_NOSYSTEM: '1',
    ...{ GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: 'ada@example.com' },
    ...{ GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: 'ada@example.com' },
  };

  let secret = '';
  const ports = new Map<string, number>();

  const run = async (block: CodeBlock): Promise<Ran> => {
    const commands = block.text.replace('pc_…', secret);
    const state = join(home, 'cwd');
    const child = spawn('sh', ['-euc', `${commands}pwd >'${state}'`], {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    if (code === 0) cwd = (await readFile(state, 'utf8')).trim();
    secret ||= /^pc_\w{36}$/m.exec(stdout)?.[0] ?? '';
    return { commands, code, stdout, stderr };
  };

  const write = async ({ path, text: yaml, line }: CodeBlock): Promise<void> => {
    if (path === undefined) throw new Error(`docs/guide.md:${line} does not say its file`);
    // Whatever else listens on this machine is not to be asked.
    for (const [, port = ''] of yaml.matchAll(/port: (\d+)/g)) if (!ports.has(port)) ports.set(port, await freePort());
    await writeInto(
      cwd,
      path,
      yaml.replaceAll(/port: (\d+)/g, (_, port) => `port: ${ports.get(port)}`),
    );
  };

  /** The second terminal. */
  const serve = async (): Promise<void> => {
    const child = spawn(process.execPath, [join(root, 'src/cli/bin.ts'), 'serve'], {
      cwd,
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    t.teardown(() => child.kill('SIGKILL'));
    for await (const line of createInterface(child.stderr)) if (line.includes('serving')) return;
    throw new Error('the gateway of the guide does not serve');
  };
  return { run, write, serve };
}
