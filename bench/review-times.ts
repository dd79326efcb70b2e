// How long the commands of a review take over a large config. `node bench/review-times.ts` prints it as JSON.
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { largeConfigFiles, largeTrigger, largeTriggerPath } from './large-config.ts';

export interface ReviewTimes {
  readonly triggers: number;
  readonly requests: number;
  /** Each is a whole process, from its start to its end. Milliseconds. */
  readonly planMs: number;
  readonly testMs: number;
}

const run = promisify(execFile);
const bin = join(import.meta.dirname, '../src/cli/bin.ts');

/**
 * Plans a change of the filters of a tenth of the triggers, over requests spread evenly, and runs a test of each
 * trigger.
 */
export async function measureReviewTimes(triggers: number, requests: number): Promise<ReviewTimes> {
  const home = await mkdtemp(join(tmpdir(), 'pullcord-review-'));
  try {
    const base = largeConfigFiles(triggers);
    const changed = Object.fromEntries(
      Array.from({ length: triggers / 10 }, (_, index) => [
        largeTriggerPath(index * 10),
        largeTrigger(index * 10, index * 10 + 50),
      ]),
    );
    await writeFiles(join(home, 'base'), base);
    await writeFiles(join(home, 'head'), { ...base, ...changed });
    const exported = join(home, 'requests.jsonl');
    await writeFile(exported, recordedRequests(triggers, requests));
    const config = join(home, 'head');
    const plan = ['plan', '--config', config, '--base', join(home, 'base'), '--requests', exported];
    return {
      triggers,
      requests,
      planMs: await timed([...plan, '--format', 'json']),
      testMs: await timed(['test', '--config', config, '--format', 'json']),
    };
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

/** Of each trigger some that pass, some that the change drops, some that another filter drops, and duplicates. */
function recordedRequests(triggers: number, count: number): string {
  const startsAt = Date.UTC(2026, 10, 1);
  const lines = Array.from({ length: count }, (_, index) => {
    const trigger = index % triggers;
    const round = Math.floor(index / triggers);
    const body = {
      instruction: `refund order ${round % 8}`,
      customer: { id: `c-${index}`, plan: round % 3 === 0 ? 'free' : 'pro', email: 'ada@example.org' },
      order: { lines: [{ quantity: 1, price: trigger + (round % 5) * 20 }] },
    };
    return JSON.stringify({
      id: `request-${index}`,
      receivedAt: new Date(startsAt + index * 1000).toISOString(),
      project: `p${trigger % 10}`,
      trigger: `trigger-${trigger}`,
      key: 'website',
      body,
    });
  });
  return `${lines.join('\n')}\n`;
}

if (process.argv[1] === import.meta.filename) {
  process.stdout.write(`${JSON.stringify(await measureReviewTimes(1000, 10_000))}\n`);
}
