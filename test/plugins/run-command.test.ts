import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import command from '../../plugins/run/command/index.ts';
import type { Options } from '../../plugins/run/command/options.gen.ts';
import { type FinalRunResult, OptionsError } from '../../src/contract/index.ts';
import { type AgentBehaviour, createRun, type RunPluginHarness } from '../../src/run-kit/conformance.ts';
import { callingContext, pluginContext } from '../support/exchange.ts';
import { patience } from '../support/patience.ts';
import { drive, faultsOf, inOwnSession, runRequest, testPromises } from '../support/run-plugin.ts';

const run = inOwnSession(runRequest({ attempt: 2, sessionId: 's' }));

const node = process.execPath;
const defaults = {
  env: {},
  output: 'auto',
  timeout: 20_000,
  maxOutput: 2 ** 20,
  killGrace: 2_000,
} satisfies Partial<Options>;

async function pluginFor(t: Test, argv: Options['argv'], changes: Partial<Options> = {}, folder = t.testdir()) {
  const { context, close } = callingContext(t);
  const logged: object[] = [];
  const options: Options = { ...defaults, argv, ...changes };
  const log = { info() {}, error() {}, warn: (fields: object) => void logged.push(fields) };
  const resolvePath = (path: string) => resolve(folder, path);
  const plugin = await command.create({ ...context, log, resolvePath }, options);
  const execute = async (signal?: AbortSignal, input = run.input) =>
    (await drive(plugin, { ...run, input }, { signal })).result;
  return { execute, close, logged, folder };
}

/** What a script of Node makes of the input. */
async function resultOf(t: Test, script: string, changes: Partial<Options> = {}): Promise<FinalRunResult> {
  const { execute } = await pluginFor(t, [node, '-e', script], changes);
  return execute();
}

/** Returns what `look` returns once it is something, or fails after 30 s, scaled. */
async function eventually<T>(look: () => T | undefined, what: string): Promise<T> {
  const deadline = performance.now() + patience(30_000);
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`waited too long for ${what}`);
    await delay(5);
  }
}

/** A process that has ended but that no one has asked about yet is as good as gone. */
function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !/\) Z /.test(existsSync(`/proc/${pid}/stat`) ? readFileSync(`/proc/${pid}/stat`, 'utf8') : '');
}

function pidIn(file: string): Promise<number> {
  return eventually(() => (existsSync(file) ? Number(readFileSync(file, 'utf8')) || undefined : undefined), file);
}

function gone(pid: number): Promise<true> {
  return eventually(() => (isRunning(pid) ? undefined : true), `the end of process ${pid}`);
}

/** A program that behaves as a case says. It appends its process id to the file `begun`. */
function scriptOf(behaviour: AgentBehaviour): string {
  const write = (bytes: Uint8Array) =>
    `process.stdout.write(Buffer.from('${Buffer.from(bytes).toString('hex')}', 'hex'))`;
  const begin = `require('node:fs').appendFileSync('begun', process.pid + '\\n');`;
  switch (behaviour.kind) {
    case 'answers':
      return begin + write(Buffer.from(JSON.stringify(behaviour.output)));
    case 'works':
      return `${begin}setInterval(() => {}, 1e6)`;
    case 'floods':
      return `${begin}const flood = () => process.stdout.write('x'.repeat(1e6), flood); flood()`;
    case 'drips':
      return `${begin}setInterval(() => process.stdout.write('x'), 5)`;
    case 'sends':
      return begin + write(behaviour.bytes);
    case 'sends_latin1':
      return begin + write(Buffer.from('süß', 'latin1'));
    default:
      throw new Error(`a program cannot do that: ${behaviour.kind}`);
  }
}

t.test('keeps what every run plugin promises', async (t) => {
  const noHttp = 'a program answers without HTTP';
  const harness: RunPluginHarness = {
    async open(behaviour, { maxResponse }) {
      const cwd = t.testdir();
      const argv: Options['argv'] = [node, '-e', scriptOf(behaviour)];
      const options: Options = { ...defaults, argv, cwd, output: 'json', maxOutput: maxResponse };
      const { run, close } = await createRun(command, options);
      const begun = () => {
        const file = resolve(cwd, 'begun');
        return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];
      };
      return {
        ...{ run, close },
        begun: () => begun().length,
        stopped: () => begun().every((pid) => !isRunning(pid)),
        received: () => '',
      };
    },
    exempt: {
      shutdown: 'a program would outlive the gateway, whose next start executes the run again',
      'foreign memory': 'a program remembers nothing that the gateway sends back',
      ...{ redirect: noHttp, reset: noHttp, statuses: noHttp, 'retry-after': noHttp },
    },
  };
  testPromises(t, harness);
});

t.test('outputs', async (t) => {
  const print = (text: string) => `process.stdout.write(${JSON.stringify(text)})`;
  const cases = [
    ['JSON', 'auto', '{"reply":"done"}\n', { reply: 'done' }],
    ['text if it is not JSON', 'auto', 'süß {\n', 'süß {'],
    ['null if there is none', 'auto', '', null],
    ['JSON where it must be', 'json', ' [1] ', [1]],
    ['text where it must be', 'text', '[1]\r\n', '[1]'],
    ['text but for one line ending', 'text', 'a\n\n', 'a\n'],
  ] as const;
  for (const [name, output, written, expected] of cases) {
    t.test(`returns ${name}`, async (t) => {
      t.same(await resultOf(t, print(written), { output }), { kind: 'succeeded', output: expected });
    });
  }

  const failures = [
    ['text where JSON must be', 'json', 'done', 'agent answered with invalid JSON'],
    ['nothing where JSON must be', 'json', '', 'agent answered with invalid JSON'],
    ['JSON nested too deep', 'auto', '['.repeat(300) + ']'.repeat(300), /nested deeper/],
    ['a __proto__', 'auto', '{"__proto__":1}', /__proto__/],
  ] as const;
  for (const [name, output, written, message] of failures) {
    t.test(`refuses ${name}`, async (t) => {
      t.match(await resultOf(t, print(written), { output }), { kind: 'failed', message, retryable: false });
    });
  }

  t.test('refuses output that is not UTF-8', async (t) => {
    const result = await resultOf(t, 'process.stdout.write(Uint8Array.of(0xff))');
    t.match(result, { kind: 'failed', message: /not UTF-8/, retryable: false });
  });
});

t.test('the program', async (t) => {
  t.test('reads the whole input on stdin', async (t) => {
    const { execute } = await pluginFor(t, [node, '-e', 'process.stdin.pipe(process.stdout)'], { maxOutput: 2 ** 23 });
    t.same(await execute(), { kind: 'succeeded', output: run.input });
    const input = { ...run.input, text: 'ü'.repeat(2 ** 20) };
    t.same(await execute(undefined, input), { kind: 'succeeded', output: input });
  });

  t.test('gets its arguments unchanged, without a shell', async (t) => {
    const argv = ['$HOME', '*', 'a b', '"', ''];
    const script = 'console.log(JSON.stringify(process.argv.slice(1)))';
    const { execute } = await pluginFor(t, [node, '-e', script, ...argv]);
    t.same(await execute(), { kind: 'succeeded', output: argv });
  });

  t.test('gets only the necessary part of the gateway’s environment', async (t) => {
    process.env.PULLCORD_TEST_CANARY = 's3cret';
    t.teardown(() => delete process.env.PULLCORD_TEST_CANARY);
    const env = { TOKEN: 'from the config', LANG: 'tlh' };
    // Leaves out what the test runner and macOS slip into every process.
    const foreign = /^(_TAPJS_|NODE_OPTIONS$|__CF)/;
    const script = `const entries = Object.entries(process.env).filter(([name]) => !${foreign}.test(name));
      console.log(JSON.stringify(Object.fromEntries(entries)))`;
    const inherited = ['PATH', 'HOME', 'TZ', 'TMPDIR'].filter((name) => process.env[name] !== undefined);
    const output = {
      ...Object.fromEntries(inherited.map((name) => [name, process.env[name]])),
      ...env,
      PULLCORD_RUN_ID: run.id,
      PULLCORD_PROJECT: 'support',
      PULLCORD_TRIGGER: 'refund-request',
      PULLCORD_CALLER: 'website',
      PULLCORD_CONVERSATION: run.conversation,
      PULLCORD_ATTEMPT: '2',
    };
    t.same(await resultOf(t, script, { env }), { kind: 'succeeded', output });
  });

  t.test('works in the folder of the file, or in cwd', async (t) => {
    const folder = t.testdir({ agents: {} });
    const argv: Options['argv'] = ['sh', '-c', 'pwd -P'];
    t.same(await (await pluginFor(t, argv, {}, folder)).execute(), { kind: 'succeeded', output: folder });
    const elsewhere = await pluginFor(t, argv, { cwd: 'agents' }, folder);
    t.same(await elsewhere.execute(), { kind: 'succeeded', output: resolve(folder, 'agents') });
  });

  t.test('is found relative to the folder of the file, whatever cwd is', async (t) => {
    const folder = t.testdir({ elsewhere: {}, 'agent.sh': '#!/bin/sh\necho here\n' });
    await chmod(resolve(folder, 'agent.sh'), 0o755);
    const { execute } = await pluginFor(t, ['./agent.sh'], { cwd: 'elsewhere' }, folder);
    t.same(await execute(), { kind: 'succeeded', output: 'here' });
  });
});

t.test('failures', async (t) => {
  t.test('fails on an exit code, which is retryable only for 75', async (t) => {
    for (const code of [1, 3, 74, 75, 76, 255]) {
      const { execute, logged } = await pluginFor(t, ['sh', '-c', `echo s3cret; echo s3cret >&2; exit ${code}`]);
      const expected = { kind: 'failed', message: `agent exited with code ${code}`, retryable: code === 75 };
      t.same(await execute(), expected);
      t.same(logged, [{ runId: run.id, kind: 'exited', code, stdoutBytes: 7, stderrBytes: 7 }]);
    }
  });

  t.test('fails when the program is ended by a signal', async (t) => {
    const { execute } = await pluginFor(t, ['sh', '-c', 'kill -KILL $$']);
    t.same(await execute(), { kind: 'failed', message: 'agent was ended by SIGKILL', retryable: false });
  });

  t.test('fails when the program has vanished, or has too many arguments', async (t) => {
    const folder = t.testdir({ 'agent.sh': '#!/bin/sh\n' });
    await chmod(resolve(folder, 'agent.sh'), 0o755);
    const vanishing = await pluginFor(t, ['./agent.sh'], {}, folder);
    await rm(resolve(folder, 'agent.sh'));
    const message = 'agent could not be started (ENOENT)';
    t.same(await vanishing.execute(), { kind: 'failed', message, retryable: false });
    const { execute } = await pluginFor(t, ['true', 'x'.repeat(2 ** 24)]);
    t.match(await execute(), { kind: 'failed', message: 'agent could not be started (E2BIG)', retryable: false });
  });

  t.test('fails on too much output, and ends the program', async (t) => {
    const { execute, folder } = await pluginFor(t, ['sh', '-c', 'echo $$ > pid; yes; true'], { maxOutput: 100_000 });
    const message = 'agent wrote more than 100000 bytes';
    t.same(await execute(), { kind: 'failed', message, retryable: false });
    await gone(await pidIn(resolve(folder, 'pid')));
  });

  t.test('fails on one byte more than allowed, and not on as many', async (t) => {
    t.match(await resultOf(t, 'process.stdout.write("12345")', { maxOutput: 5 }), { kind: 'succeeded' });
    t.match(await resultOf(t, 'process.stdout.write("12345")', { maxOutput: 4 }), { kind: 'failed' });
  });
});

t.test('tolerance', async (t) => {
  t.test('accepts a program that reads nothing of a long input', async (t) => {
    const input = { ...run.input, text: 'x'.repeat(5 * 2 ** 20) };
    for (const script of ['echo done', 'exec <&-; echo done']) {
      const { execute } = await pluginFor(t, ['sh', '-c', script]);
      t.same(await execute(undefined, input), { kind: 'succeeded', output: 'done' });
    }
  });

  t.test('accepts any amount on stderr', async (t) => {
    const script = 'head -c 5000000 /dev/zero >&2; echo done';
    const { execute, logged } = await pluginFor(t, ['sh', '-c', script], { maxOutput: 10 });
    t.same(await execute(), { kind: 'succeeded', output: 'done' });
    t.same(logged, []);
  });

  t.test('accepts a timeout longer than a timer can be', async (t) => {
    const { execute } = await pluginFor(t, ['echo', 'done'], { timeout: 40 * 86_400_000 });
    t.same(await execute(), { kind: 'succeeded', output: 'done' });
  });
});

t.test('descendants', async (t) => {
  t.test('end with a program that left one behind with stdout open', async (t) => {
    const script = 'sleep 600 & echo $! > pid; echo done';
    const { execute, folder } = await pluginFor(t, ['sh', '-c', script], { timeout: 60_000 });
    t.same(await execute(), { kind: 'succeeded', output: 'done' });
    await gone(await pidIn(resolve(folder, 'pid')));
  });

  t.test('are not awaited once they left the group, though stdout stays open', async (t) => {
    const detached = `require('node:child_process').spawn('sleep', ['600'], { detached: true, stdio: 'inherit' })`;
    const script = `const child = ${detached}; child.unref(); console.log(child.pid)`;
    const result = await resultOf(t, script, { timeout: 60_000 });
    t.match(result, { kind: 'succeeded', output: Number });
    if (result.kind === 'succeeded') process.kill(Number(result.output));
  });

  t.test('end when the time of the attempt is up', async (t) => {
    const script = 'sleep 600 & echo $! > pid; wait';
    const { execute, folder } = await pluginFor(t, ['sh', '-c', script], { timeout: 1_000 });
    const message = 'the run did not end within 1s';
    t.same(await execute(), { kind: 'failed', message, retryable: true });
    await gone(await pidIn(resolve(folder, 'pid')));
  });

  t.test('end although they ignore SIGTERM', async (t) => {
    const ignore = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1e6);`;
    const child = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(ignore)}]).pid`;
    const script = `${ignore} require('node:fs').writeFileSync('pid', String(${child}))`;
    const { execute, folder } = await pluginFor(t, [node, '-e', script], { killGrace: 50 });
    const controller = new AbortController();
    const result = execute(controller.signal);
    const pid = await pidIn(resolve(folder, 'pid'));
    controller.abort();
    t.match(await result, { kind: 'failed' });
    await gone(pid);
  });

  t.test('may end gracefully on SIGTERM, also behind a shell', async (t) => {
    const script = `process.on('SIGTERM', () => setImmediate(() => {
      require('node:fs').writeFileSync('tidied', '');
      process.exit();
    }));
    setInterval(() => {}, 1e6);
    require('node:fs').writeFileSync('pid', String(process.pid));`;
    const folder = t.testdir({ 'agent.cjs': script });
    const argv: Options['argv'] = ['sh', '-c', `'${node}' agent.cjs; true`];
    const { execute } = await pluginFor(t, argv, { killGrace: 20_000 }, folder);
    const controller = new AbortController();
    const result = execute(controller.signal);
    await pidIn(resolve(folder, 'pid'));
    controller.abort();
    await result;
    t.ok(existsSync(resolve(folder, 'tidied')));
  });
});

t.test('ends the program when the run is cancelled, and starts nothing afterwards', async (t) => {
  const aborted = { kind: 'failed', message: 'the run was aborted', retryable: false };
  const { execute, folder } = await pluginFor(t, ['sh', '-c', 'echo $$ >> pid; exec sleep 600']);
  const controller = new AbortController();
  const result = execute(controller.signal);
  const pid = await pidIn(resolve(folder, 'pid'));
  controller.abort();
  t.same(await result, aborted);
  t.notOk(isRunning(pid));
  t.same(await execute(controller.signal), aborted);
  t.equal(await pidIn(resolve(folder, 'pid')), pid);
});

t.test('ends running programs when it is closed, and waits for them', async (t) => {
  const { execute, close, folder } = await pluginFor(t, ['sh', '-c', 'echo $$ > pid; exec sleep 600']);
  const result = execute();
  const pid = await pidIn(resolve(folder, 'pid'));
  await close();
  t.notOk(isRunning(pid));
  t.match(await result, { kind: 'failed', retryable: true });
});

t.test('options', async (t) => {
  const refusalOf = async (argv: Options['argv'], changes: Partial<Options> = {}, folder = t.testdir()) => {
    try {
      await pluginFor(t, argv, changes, folder);
    } catch (error) {
      if (OptionsError.is(error)) return error;
      throw error;
    }
    return undefined;
  };

  t.test('refuses a program that is missing or cannot be executed', async (t) => {
    const folder = t.testdir({ 'notes.txt': 'not a program', agents: {} });
    const cases = [
      ['pullcord-no-such-program', /not on PATH/, /slash/],
      ['node agent.mjs', /not on PATH/, /no shell/],
      ['./agent.mjs', /does not exist/, /folder of this file/],
      ['./notes.txt', /not executable/, /chmod/],
      ['./agents', /not a file/, undefined],
    ] as const;
    for (const [program, message, hint] of cases) {
      const problems = [{ pointer: '/argv/0', message, ...(hint && { hint }) }];
      t.match((await refusalOf([program], {}, folder))?.problems, problems, program);
    }
    t.equal(await refusalOf(['sh']), undefined);
  });

  t.test('refuses a cwd that is no folder', async (t) => {
    t.match((await refusalOf(['sh'], { cwd: 'nowhere' }))?.problems, [{ pointer: '/cwd' }]);
  });

  t.test('refuses an environment that cannot be passed or is the gateway’s, without repeating values', async (t) => {
    const refusal = await refusalOf(['sh'], { env: { 'A=B': 's3cret', PULLCORD_RUN_ID: 's3cret', C: 's3cret\0' } });
    const pointers = refusal?.problems.map(({ pointer }) => pointer);
    t.same(pointers, ['/env/A=B', '/env/PULLCORD_RUN_ID', '/env/C']);
    t.notMatch(refusal?.message, /s3cret/);
  });

  t.test('refuses a NUL in an argument, and a timeout of zero', async (t) => {
    t.match((await refusalOf(['sh', 'a\0b']))?.problems, [{ pointer: '/argv/1' }]);
    t.strictSame(faultsOf(command, { argv: ['sh'], timeout: '0s' }), ['/timeout']);
    t.strictSame(faultsOf(command, { argv: ['sh'], timeout: '1ms', killGrace: '0s' }), []);
  });
});

t.test('the example agents', async (t) => {
  const agents = resolve(import.meta.dirname, '../../config/agents');

  t.test('concierge answers what it knows and hands over the rest', async (t) => {
    const { execute } = await pluginFor(t, [node, resolve(agents, 'concierge.mjs')], { output: 'json' });
    const ask = (instruction: string, more = {}) => execute(undefined, { ...run.input, instruction, ...more });
    t.match(await ask('please refund order 7', { customer: { name: 'Ada', plan: 'pro' } }), {
      output: {
        intent: 'refund',
        order: '7',
        priority: 'high',
        needsHuman: false,
        reply: /^Ada: We will refund order 7/,
      },
    });
    t.match(await ask('I want my money back'), { output: { intent: 'refund', reply: /Which order/ } });
    t.match(await ask('Wann ist geöffnet?', { language: 'de' }), {
      output: { intent: 'opening_hours', reply: /9 bis 17/ },
    });
    t.match(await ask('my screen is blue', { language: 'fr' }), { output: { intent: 'handover', needsHuman: true } });
  });

  t.test('release-notes answers on HTTP and ends in order on SIGTERM', async (t) => {
    const agent = spawn(node, [resolve(agents, 'release-notes.mjs')], { env: { PORT: '0' } });
    t.teardown(() => agent.kill('SIGKILL'));
    const [line] = await once(agent.stdout, 'data');
    const url = String(line).match(/http:\S+/)?.[0] ?? '';
    const post = (body: unknown) => fetch(url, { method: 'POST', body: JSON.stringify(body) });
    const commits = ['feat(cart): vouchers\n\nAt last.', 'fix: rounding', 'feat!: no more v1', 'tidy up'];
    const response = await post({
      repository: { full_name: 'acme/shop' },
      commits: commits.map((message) => ({ message })),
    });
    t.equal(response.headers.get('content-type'), 'application/json');
    t.same(await response.json(), {
      notes: [
        '# Release notes of acme/shop',
        ...['', '## Breaking changes', '', '- no more v1'],
        ...['', '## New', '', '- vouchers'],
        ...['', '## Fixed', '', '- rounding'],
        ...['', '## Also', '', '- tidy up\n'],
      ].join('\n'),
    });
    t.equal((await post({ commits: 'none' })).status, 400);
    t.equal((await fetch(url)).status, 405);
    agent.kill('SIGTERM');
    t.same(await once(agent, 'exit'), [0, null]);
  });
});

t.test('warns of a missing script among the arguments, and of nothing else', async (t) => {
  const folder = t.testdir({ 'there.mjs': '', sub: { 'also.py': '' } });
  const warnedOf = async (argv: Options['argv'], cwd?: string) => {
    const found: string[] = [];
    const context = {
      ...pluginContext,
      resolvePath: (path: string) => resolve(folder, path),
      report: ({ pointer }: { pointer: string }) => void found.push(pointer),
    };
    await command.create(context, { ...defaults, argv, ...(cwd !== undefined && { cwd }) });
    return found;
  };
  t.strictSame(await warnedOf([node, 'there.mjs', 'elsewhere.mjs', '--eval=x.js', 'a word', 'x.json']), ['/argv/2']);
  t.strictSame(await warnedOf([node, 'also.py'], 'sub'), []);
  t.strictSame(await warnedOf([node, 'also.py']), ['/argv/1']);
});
