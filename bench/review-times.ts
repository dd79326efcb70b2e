// How long the commands of a review take over a large config. `node bench/review-times.ts` prints it as JSON.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { largeConfigEdit, largeConfigFiles, largeRequests } from './large-config.ts';

interface ReviewTimes {
  readonly triggers: number;
  readonly requests: number;
  /** Each is a whole process, from its start to its end. Milliseconds. */
  readonly planMs: number;
  readonly testMs: number;
  /** Checks the same config and does nothing more: what the other two are compared with. */
  readonly validateMs: number;
}

const run = promisify(execFile);
const bin = join(import.meta.dirname, '../src/cli/bin.ts');
/** The shortest of them is what the code costs; in the others the machine did something else too. */
const rounds = 3;

/**
 * Plans a change of the filters of a tenth of the triggers, over requests spread evenly, and runs a test of each
 * trigger.
 */
async function measureReviewTimes(triggers: number, requests: number): Promise<ReviewTimes> {
  const home = await mkdtemp(join(tmpdir(), 'pullcord-review-'));
  try {
    const base = largeConfigFiles(triggers);
    await writeFiles(join(home, 'base'), base);
    await writeFiles(join(home, 'head'), { ...base, ...largeConfigEdit(triggers) });
    const exported = join(home, 'requests.jsonl');
    await writeFile(exported, largeRequests(triggers, requests));
    const config = join(home, 'head');
    const plan = ['plan', '--config', config, '--base', join(home, 'base'), '--requests', exported];
    const commands = {
      planMs: [...plan, '--format', 'json'],
      testMs: ['test', '--config', config, '--format', 'json'],
      validateMs: ['validate', '--config', config],
    };
    const shortest = { planMs: Infinity, testMs: Infinity, validateMs: Infinity };
    for (let round = 0; round < rounds; round += 1) {
      for (const name of ['planMs', 'testMs', 'validateMs'] as const) {
        shortest[name] = Math.min(shortest[name], await timed(commands[name]));
      }
    }
    return { triggers, requests, ...shortest };
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

async function timed(args: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  await run(process.execPath, [bin, ...args], { maxBuffer: 256 * 1024 ** 2 });
  return performance.now() - startedAt;
}

async function writeFiles(root: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await writeFile(join(root, file), text);
  }
}

const times = await measureReviewTimes(1000, 10_000);
const ratio = (ms: number) => Math.round((ms / times.validateMs) * 100) / 100;
const ratios = { plan: ratio(times.planMs), test: ratio(times.testMs) };
process.stdout.write(`${JSON.stringify({ ...times, ratios })}\n`);
