import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { scriptOptions } from '../test/support/script-options.ts';
import { start, writeFolder } from './attack-gateway.ts';
import { type Attack, attacks } from './attack-list.ts';
import { type Answers, harmless } from './attack-requests.ts';
import { peakMegabytes } from './peak-memory.ts';
import { freePort } from './servers.ts';
import { quantile } from './statistics.ts';

const mostMemoryMb = 512;
/** How long an attack is watched at most, in milliseconds. */
const watchMs = 20_000;

const help = `node bench/attacks.ts [OPTIONS]

Measures what a caller feels while another one attacks. Each attack has a gateway of its own with a heap of 384 MB, where a
second key fires a harmless trigger. Prints the answers to the attack, the p50 and p99 of the second key's requests, and the
largest resident memory of the gateway.

Exits 1 if an attack misses its goal: p99 below 100 ms (1 s under a flood of connections), memory below 512 MB, no answer 5xx
but 503, and a start after it.

  --attack NAME   only this one; may be repeated
  --json          prints the rows as JSON

The attacks:
${attacks.map(({ name }) => `  ${name}`).join('\n')}`;

const options = scriptOptions(help, {
  json: { type: 'boolean', default: false },
  attack: { type: 'string', multiple: true },
});

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
    let isOver = false;
    const attack = run(port).finally(() => {
      isOver = true;
    });
    const endsAt = performance.now() + watchMs;
    while (performance.now() < endsAt && !(isOver && timesMs.length >= 100)) {
      const startedAt = performance.now();
      const answer = await harmless(port);
      timesMs.push(answer === '200' ? performance.now() - startedAt : Infinity);
      await sleep(5);
    }
    const answers = await Promise.race([attack, sleep(watchMs).then((): Answers => new Map([['unanswered', 1]]))]);
    const hasDied = gateway.exitCode !== null || gateway.signalCode !== null;
    const mostMb = hasDied ? Infinity : await peakMegabytes(gateway.pid ?? 0);
    // What was accepted must not keep the next start from serving.
    gateway.kill('SIGKILL');
    if (!hasDied) await once(gateway, 'exit');
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
