/**
 * What a caller feels while another one attacks: each attack goes to a gateway of its own, whose heap is 384 MB, and a
 * second key fires a harmless trigger all the while. `node bench/attacks.ts` prints for each attack the answers to it, the
 * p50 and p99 of the second key's requests, and the largest resident memory of the gateway. Exits 1 if one misses its goal:
 * p99 below 100 ms (1 s under a flood of connections), memory below 512 MB, no answer 5xx but 503, and a start after it.
 * `--attack NAME` makes only one, `--json` prints JSON.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Agent, type IncomingMessage, request } from 'node:http';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { quantile } from './statistics.ts';

const heapMb = 384;
const mostMemoryMb = 512;
const goalMs = 100;
const floodGoalMs = 1000;
/** How long an attack is watched at most, in milliseconds. */
const watchMs = 20_000;
const startWithinMs = 60_000;

/** Each request has a connection of its own. */
const connections = new Agent({ keepAlive: false });
const secrets = { attacker: 'pc_attacker_of_the_benchmark', other: 'pc_other_of_the_benchmark' };
const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, attack: { type: 'string', multiple: true } },
});

/** Sends what hurts. Resolves when all of it is answered or given up, with how often each answer came. */
interface Attack {
  readonly name: string;
  readonly goalMs: number;
  readonly run: (port: number) => Promise<Answers>;
}
type Answers = ReadonlyMap<string, number>;

const mebibyte = 1024 * 1024;
const branching = {
  type: 'object',
  properties: { next: { anyOf: [{ $ref: '#' }, { allOf: [{ $ref: '#' }, { required: ['never'] }] }] } },
  required: ['next'],
};

const triggers: Readonly<Record<string, object>> = {
  harmless: {},
  branching: { filter: { name: 'schema', uses: 'json-schema', with: { schema: branching } } },
  unique: {
    filter: {
      name: 'schema',
      uses: 'json-schema',
      with: { schema: { properties: { items: { type: 'array', uniqueItems: true } } } },
    },
  },
  flattening: { filter: '$count(orders.($$.products)) > 0' },
  matching: { filter: '$count($match(text, /[a-z]{1,500}[0-9]$/)) > 0' },
  mapping: {
    run: {
      uses: 'http',
      with: { url: 'http://127.0.0.1:9/', request: '{ "all": items.{ "item": $, "order": $$ } }' },
    },
    respond: { uses: 'accepted' },
  },
  slow: { run: { uses: 'echo', with: { delay: '10s' } }, respond: { uses: 'accepted' } },
  signed: {
    auth: { uses: 'signature', with: { scheme: 'github', secrets: [{ env: 'PULLCORD_BENCH_SIGNATURE' }] } },
  },
};

const zeros = (count: number): readonly number[] => Array.from({ length: count }, () => 0);

const attacks: readonly Attack[] = [
  {
    name: 'a recursive schema with alternatives, 60 levels',
    goalMs,
    run: (port) =>
      fire(
        port,
        'branching',
        Array.from({ length: 8 }, () => nested(60)),
      ),
  },
  {
    name: 'uniqueItems over 20,000 objects',
    goalMs,
    run: (port) =>
      fire(
        port,
        'unique',
        Array.from({ length: 8 }, () => JSON.stringify({ items: Array.from({ length: 20_000 }, (_, n) => ({ n })) })),
      ),
  },
  {
    name: 'a path that flattens the product of two arrays',
    goalMs,
    run: (port) => {
      const body = JSON.stringify({ orders: zeros(10_500), products: zeros(10_500) });
      return fire(port, 'flattening', [body, body, body, body]);
    },
  },
  {
    name: 'a regular expression that looks far ahead, on 1 MiB',
    goalMs,
    run: (port) => {
      const body = JSON.stringify({ text: 'a'.repeat(mebibyte - 20) });
      return fire(port, 'matching', [body, body, body, body]);
    },
  },
  {
    name: 'a mapping that repeats the whole body for each item',
    goalMs,
    run: (port) => {
      const body = JSON.stringify({ items: zeros((mebibyte - 20) / 2) });
      return fire(port, 'mapping', [body, body, body, body]);
    },
  },
  {
    name: '239 slow runs with 1 MiB of []',
    goalMs,
    run: (port) => {
      const body = JSON.stringify({ items: Array.from({ length: (mebibyte - 20) / 3 }, () => []) });
      return fire(
        port,
        'slow',
        Array.from({ length: 239 }, () => body),
      );
    },
  },
  {
    name: '300 unsigned bodies of 1 MiB that never end',
    goalMs: floodGoalMs,
    run: (port) =>
      hold(port, 300, { trigger: 'signed', headers: ['X-Hub-Signature-256: sha256=00'], sent: mebibyte - 1 }),
  },
  {
    name: 'a flood: 2,000 slow connections, 500 with a wrong key, 500 with a right one',
    goalMs: floodGoalMs,
    run: async (port) => {
      const body = JSON.stringify({ text: 'a'.repeat(mebibyte - 20) });
      const bodies = Array.from({ length: 500 }, () => body);
      const held = hold(port, 2000, { trigger: 'harmless', headers: [`X-API-Key: ${secrets.attacker}`], sent: 1 });
      const wrong = fire(port, 'harmless', bodies, 'pc_wrong');
      const right = fire(port, 'harmless', bodies);
      return merged(await Promise.all([held, wrong, right]));
    },
  },
];

const rows = [];
for (const attack of attacks) {
  if (options.attack !== undefined && !options.attack.includes(attack.name)) continue;
  const row = await measured(attack);
  rows.push(row);
  if (!options.json) console.log(describe(row));
  if (!row.isGood) process.exitCode = 1;
}
if (options.json) process.stdout.write(`${JSON.stringify({ rows })}\n`);
// Connections that are still held would keep the process.
process.exit();

async function measured({ name, goalMs: goal, run }: Attack) {
  const folder = await mkdtemp(join(tmpdir(), 'pullcord-attack-'));
  const root = join(folder, 'config');
  const port = await freePort();
  await writeFolder(root, port, await freePort());
  let gateway = await start(root, port);
  try {
    const timesMs: number[] = [];
    let mostMb = 0;
    let isOver = false;
    const attack = run(port).finally(() => {
      isOver = true;
    });
    const endsAt = performance.now() + watchMs;
    while (performance.now() < endsAt && !(isOver && timesMs.length >= 100)) {
      const startedAt = performance.now();
      const answer = await harmless(port);
      timesMs.push(answer === '200' ? performance.now() - startedAt : Infinity);
      mostMb = Math.max(mostMb, await residentMb(gateway.pid));
      await sleep(5);
    }
    const answers = await Promise.race([attack, sleep(watchMs).then((): Answers => new Map([['unanswered', 1]]))]);
    // What was accepted must not keep the next start from serving.
    gateway.kill('SIGKILL');
    await once(gateway, 'exit');
    const startedAt = performance.now();
    gateway = await start(root, port);
    const startMs = performance.now() - startedAt;
    const isServing = (await harmless(port)) === '200';
    const p99 = quantile(timesMs, 0.99);
    const hasFault = [...answers.keys()].some((answer) => answer.startsWith('5') && !answer.startsWith('503'));
    const isGood = p99 < goal && mostMb < mostMemoryMb && isServing && !hasFault;
    return { name, answers: [...answers], p50: quantile(timesMs, 0.5), p99, goal, mostMb, startMs, isServing, isGood };
  } finally {
    gateway.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

function describe({
  name,
  answers,
  p50,
  p99,
  goal,
  mostMb,
  startMs,
  isServing,
  isGood,
}: Awaited<ReturnType<typeof measured>>) {
  const counts = answers.map(([answer, count]) => `${count} × ${answer}`).join(', ');
  const others = `others p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms (goal ${goal})`;
  const start = `started again in ${Math.round(startMs)} ms${isServing ? '' : ', NOT SERVING'}`;
  return `${isGood ? 'good' : 'BAD '} ${name}\n     ${counts}; ${others}; ${Math.round(mostMb)} MB; ${start}`;
}

/** An object whose `next` is another one, so many levels deep. */
function nested(levels: number): string {
  return `${'{"next":'.repeat(levels)}{}${'}'.repeat(levels)}`;
}

async function writeFolder(root: string, port: number, adminPort: number): Promise<void> {
  await mkdir(root, { recursive: true });
  const write = (file: string, content: object) =>
    writeFile(join(root, file), JSON.stringify({ version: 1, ...content }));
  await write('gateway.yaml', {
    ...{ kind: 'Gateway', organization: 'bench', server: { port }, admin: { port: adminPort } },
    engine: { uses: 'sqlite', with: { path: 'pullcord.db' } },
    outbound: { allow: ['127.0.0.1'] },
    recording: { rate: 0 },
  });
  await write('project.yaml', { kind: 'Project', id: 'support', name: 'Support', language: 'en' });
  for (const [id, secret] of Object.entries(secrets)) {
    await write(`${id}.yaml`, {
      ...{ kind: 'ApiKey', id, secrets: [{ hash: `sha256:${hash('sha256', secret)}` }] },
      ...{ permissions: ['project.trigger'], projects: ['support'] },
    });
  }
  for (const [key, trigger] of Object.entries(triggers)) {
    const declared = { kind: 'Trigger', project: 'support', name: key, key, run: { uses: 'echo' } };
    await write(`${key}.yaml`, { ...declared, ...trigger });
  }
}

async function start(root: string, port: number): Promise<ChildProcess> {
  const bin = join(import.meta.dirname, '../src/cli/bin.ts');
  const gateway = spawn(process.execPath, [`--max-old-space-size=${heapMb}`, bin, 'serve', '--config', root], {
    stdio: 'ignore',
    env: { ...process.env, PULLCORD_BENCH_SIGNATURE: 'a-secret-of-the-benchmark-that-is-long' },
  });
  const endsAt = performance.now() + startWithinMs;
  while (performance.now() < endsAt && gateway.exitCode === null) {
    if ((await harmless(port)) === '200') return gateway;
    await sleep(50);
  }
  throw new Error(`the gateway did not start (exit ${gateway.exitCode})`);
}

function harmless(port: number): Promise<string> {
  return post(port, { trigger: 'harmless', body: '{"instruction":"hello"}', secret: secrets.other });
}

/** Fires a trigger with each body at once. */
async function fire(port: number, trigger: string, bodies: readonly string[], secret = secrets.attacker) {
  const answers = await Promise.all(bodies.map((body) => post(port, { trigger, body, secret })));
  return merged(answers.map((answer) => new Map([[answer, 1]])));
}

/** The status and code of the answer, or the code of the error. */
async function post(
  port: number,
  { trigger, body, secret }: { readonly trigger: string; readonly body: string; readonly secret: string },
): Promise<string> {
  const sent = request({
    ...{ host: '127.0.0.1', port, path: `/api/v1.0/project/support/trigger/${trigger}`, method: 'POST' },
    headers: { 'content-type': 'application/json', 'x-api-key': secret, 'content-length': Buffer.byteLength(body) },
    agent: connections,
  });
  try {
    sent.on('error', () => {});
    sent.end(body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    const code = /"code":"(\w+)"/.exec(text)?.[1];
    return [response.statusCode, code].filter((part) => part !== undefined).join(' ');
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

/** Opens connections that send a part of a body and then nothing, until the gateway closes them or the time is over. */
async function hold(
  port: number,
  count: number,
  { trigger, headers, sent }: { readonly trigger: string; readonly headers: readonly string[]; readonly sent: number },
): Promise<Answers> {
  const head = [
    `POST /api/v1.0/project/support/trigger/${trigger} HTTP/1.1`,
    ...['Host: bench', 'Content-Type: application/json', `Content-Length: ${mebibyte}`, ...headers, '', ''],
  ].join('\r\n');
  const part = Buffer.alloc(sent, 32);
  const held = Array.from({ length: count }, () => holdOne(connect(port, '127.0.0.1'), head, part));
  return merged((await Promise.all(held)).map((answer) => new Map([[answer, 1]])));
}

async function holdOne(socket: Socket, head: string, part: Buffer): Promise<string> {
  let answer = 'held';
  socket.on('error', () => {});
  socket.on('data', (chunk) => {
    answer = /^HTTP\/1\.1 (\d{3})/.exec(chunk.toString('latin1'))?.[1] ?? answer;
  });
  socket.write(head);
  socket.write(part);
  await Promise.race([once(socket, 'close'), sleep(watchMs / 2)]);
  socket.destroy();
  return answer;
}

function merged(all: readonly Answers[]): Answers {
  const counts = new Map<string, number>();
  for (const answers of all) {
    for (const [answer, count] of answers) counts.set(answer, (counts.get(answer) ?? 0) + count);
  }
  return counts;
}

async function residentMb(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
