import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { createMemoryEngine } from '../../src/engine/memory/index.ts';
import { createSqliteEngine } from '../../src/engine/sqlite/index.ts';
import { recordingLog } from '../support/recording-log.ts';
import { type Case, Conservation, cases, type MortalHarness, onFakeClock, type Seen } from './conservation.ts';

type Clock = MortalHarness['clock'];

const dayMs = 24 * 3_600_000;

function openMemory({ concurrency }: Case, clock: Clock): MortalHarness {
  const bounds = { maxQueued: 1000, maxSessions: 100, maxFinished: 1000, maxClaims: 1000 };
  const options = { ...bounds, concurrency, keepFinished: 10 * dayMs };
  return { ...createMemoryEngine(options, { log: recordingLog() }, clock), clock };
}

async function openSqlite(tried: Case, clock: Clock): Promise<MortalHarness> {
  const root = await mkdtemp(join(tmpdir(), 'pullcord-conservation-'));
  const { concurrency, maxInterruptions } = tried;
  const retention = { age: 10 * dayMs, count: 1000 };
  const openAt = async (folder: string, deaths: number): Promise<MortalHarness> => {
    const path = join(folder, 'pullcord.db');
    const options = { path, concurrency, maxInterruptions, maxQueued: 1000, retention };
    const opened = await createSqliteEngine(options, { log: recordingLog() }, clock);
    return {
      ...opened,
      clock,
      async reopen(how) {
        const next = how === 'died' ? join(root, `${deaths}`) : folder;
        // The journal as the next process finds it. By another process: this one would lose SQLite's locks on the file.
        if (how === 'died') await promisify(execFile)('cp', ['-r', folder, next]);
        await opened.engine.close(0);
        return openAt(next, deaths + 1);
      },
      dispose: () => rm(root, { recursive: true }),
    };
  };
  return openAt(join(root, 'first'), 0);
}

const outcomes = [
  'succeeded',
  'input_required',
  'failed',
  'retry',
  'throws',
  'cancelled',
  'cancelled before its start',
];
const engines = [
  {
    name: 'memory',
    open: openMemory,
    numRuns: 100,
    happens: [...outcomes, 'limited', 'duplicate', 'busy', 'joined a burst', 'cancelled by the engine'],
  },
  { name: 'sqlite', open: openSqlite, numRuns: 8, happens: ['stopped', 'died', 'limited', 'retry', 'cancelled'] },
] as const;

// More cases than usual, and those of a failure, which names its seed, again.
const { PULLCORD_TEST_LAW_RUNS: wantedRuns, PULLCORD_TEST_LAW_SEED: wantedSeed } = process.env;

for (const { name, open, numRuns, happens } of engines) {
  t.test(
    `${name}: what is reserved is settled or open at every moment, and settled is what runs recorded`,
    async (t) => {
      const seen: Seen = new Map();
      await fc.assert(
        fc.asyncProperty(cases, (tried) =>
          onFakeClock(async (clock) => new Conservation(await open(tried, clock), tried, seen).perform(tried)),
        ),
        {
          numRuns: Number(wantedRuns ?? numRuns),
          // Opening a journal takes a while: the whole case is better than a test that is cut off.
          endOnFailure: name === 'sqlite',
          ...(wantedSeed !== undefined && { seed: Number(wantedSeed) }),
        },
      );
      t.comment(JSON.stringify(Object.fromEntries(seen)));
      // Cases prove nothing about what happened in none of them.
      const missing = happens.filter((what) => !seen.has(what));
      if (wantedRuns === undefined) t.strictSame(missing, [], 'each has happened');
    },
  );
}
