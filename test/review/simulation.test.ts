import { mock } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { createMemoryEngine } from '../../src/engine/memory/index.ts';
import { EventQueue } from '../../src/engine/simulation/event-queue.ts';
import type { Executor, RunOutcome } from '../../src/engine/types/index.ts';
import { openConfig } from '../../src/review/open-config.ts';
import { Rehearsal, type RehearsedRequest } from '../../src/review/rehearsal.ts';
import { noteConsumption, placesOf } from '../../src/review/simulation-parts.ts';
import { Expectations } from '../../src/runtime/limits/expectations.ts';
import { fire, type PipelineEngine } from '../../src/runtime/pipeline.ts';
import type { Snapshot } from '../../src/runtime/snapshot.ts';
import { verdictWords } from '../../src/runtime/verdict.ts';
import { basicFiles, configFolder, gatewayFile, keyFile, triggerFile } from '../support/config-folder.ts';
import { randomFrom } from '../support/random.ts';
import { recordingLog } from '../support/recording-log.ts';

/** `ARRIVALS=10000` for the full size. */
const arrivals = Number(process.env.ARRIVALS ?? 1500);
const changes = 20;
const start = Date.parse('2026-11-02T08:00:00Z');

const prices = 'version: 1\nkind: Prices\ncurrency: USD\ndefault: { input: 5, output: 25 }\n';

type Random = ReturnType<typeof randomFrom>;

t.test('a simulation of limits, dedup and concurrency decides one for one as a gateway does', async (t) => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= changes; seed += 1) {
    const random = randomFrom(seed);
    const files = randomFiles(random);
    const snapshot = await snapshotOf(t, files);
    const requests = randomRequests(random);
    const simulated = await simulate(snapshot, requests);
    const real = await serve(snapshot, requests);
    t.equal(differences(simulated.verdicts, real.verdicts), '', `verdicts of change ${seed}`);
    t.equal(differences(simulated.waits, real.waits), '', `waiting of change ${seed}`);
    for (const verdict of real.verdicts) seen.add(verdict.split(' ')[0] ?? '');
  }
  t.strictSame([...seen].sort(), ['accepted', 'duplicate', 'limited', 'refused'], 'all verdicts have been compared');
});

interface Decided {
  readonly verdicts: readonly string[];
  /** How long each run waited, by its request. */
  readonly waits: readonly string[];
}

async function simulate(snapshot: Snapshot, requests: readonly RehearsedRequest[]): Promise<Decided> {
  const waits: string[] = [];
  const runs: string[] = [];
  const started = ({ id }: { readonly id: string }, waitedMs: number) => {
    waits.push(`${id} ${waitedMs}`);
  };
  const submitted = ({ id }: { readonly id: string }) => {
    runs.push(id);
  };
  const rehearsal = new Rehearsal(snapshot, { isPatient: true, observer: { started, submitted } });
  const verdicts: string[] = [];
  for (const request of requests) {
    const { verdict, by } = await rehearsal.try(request);
    verdicts.push(`${verdict} ${by ?? ''}`);
  }
  rehearsal.finish();
  return { verdicts, waits: waitsOf(runs, waits) };
}

/** The pipeline and the memory engine of a gateway, on a clock that stops for each arrival, each end of a run and each end of a burst. */
async function serve(snapshot: Snapshot, requests: readonly RehearsedRequest[]): Promise<Decided> {
  // Bursts end by timers.
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: start });
  const { concurrency, maxQueued, concurrencyOf } = placesOf(snapshot);
  const kept = { maxFinished: 1000, keepFinished: 1000, maxClaims: 1e6, maxSessions: 1000 };
  const { engine } = createMemoryEngine({ concurrency, maxQueued, ...kept }, { log: recordingLog() }, Date);
  const expectations = new Expectations();
  const events = new EventQueue<() => void>();
  const waits: string[] = [];
  const execute: Executor['execute'] = (run, { signal }) => {
    waits.push(`${run.id} ${Date.now() - run.acceptedAt}`);
    const took = requests[Number(run.requestId?.split('-')[1]) - 1]?.took;
    if (took === undefined) throw new Error('a run without a request');
    const { promise, resolve } = Promise.withResolvers<RunOutcome>();
    const { tokens, cost } = took.consumed;
    const failure = { kind: 'failed', message: 'no', retryable: false } as const;
    signal.addEventListener('abort', () => resolve(failure));
    events.add(Date.now() + took.durationMs, () => {
      if (signal.aborted) return;
      noteConsumption(expectations, run, took.consumed);
      resolve({
        ...(took.hasFailed ? failure : { kind: 'succeeded', output: null }),
        ...(tokens !== undefined && { usage: { inputTokens: tokens, outputTokens: 0 } }),
        ...(cost !== undefined && { cost: { nanos: cost, currency: 'USD' } }),
      });
    });
    return promise;
  };
  await engine.start({ execute, concurrencyOf });
  const advance = async (until: number) => {
    for (let at = events.nextAt; at !== undefined && at <= until; at = events.nextAt) {
      // A burst that waits for a place is past its time.
      mock.timers.tick(Math.max(0, at - Date.now()));
      events.take()?.();
      // What follows from an event is over before the next one.
      await setImmediate();
    }
    if (until !== Infinity) mock.timers.tick(until - Date.now());
  };
  const runs: string[] = [];
  const submitting: PipelineEngine = {
    get: (id) => engine.get(id),
    active: (id) => engine.active(id),
    wait: (id, timeoutMs) => engine.wait(id, timeoutMs),
    deltas: (id) => engine.deltas(id),
    async submit(run, claim, limits) {
      const submission = await engine.submit(run, claim, limits);
      if (submission.kind === 'accepted' && submission.burst !== undefined) {
        events.add(submission.burst.startsAt, () => {});
      }
      if (run.startsAt !== undefined) events.add(run.startsAt, () => {});
      runs.push(run.id);
      return submission;
    },
  };
  /** Up to the body: authentication and limits of requests. */
  const head = new Rehearsal(snapshot);
  const verdicts: string[] = [];
  for (const request of requests) {
    await advance(request.receivedAt);
    const prepared = await head.prepare(request);
    if ('outcome' in prepared) {
      verdicts.push(`${prepared.outcome.verdict} ${prepared.outcome.by ?? ''}`);
      continue;
    }
    const answered = await fire(submitting, prepared.trigger, prepared.exchange, { expectations });
    verdicts.push(`${verdictWords[answered.kind].rehearsed} ${'by' in answered ? answered.by : ''}`);
  }
  await advance(Infinity);
  mock.timers.reset();
  await engine.close(0);
  return { verdicts, waits: waitsOf(runs, waits) };
}

/** Runs by the order of their submission: each side has ids of its own. */
function waitsOf(runs: readonly string[], waits: readonly string[]): readonly string[] {
  const orders = new Map(runs.map((id, index) => [id, index]));
  // In which order those are started that start at the same moment says nothing.
  return waits.map((text) => text.replace(/^\S+/, (id) => String(orders.get(id) ?? '?').padStart(6, '0'))).sort();
}

/** The first that differ, in words. */
function differences(one: readonly string[], other: readonly string[]): string {
  if (one.length !== other.length) return `${one.length} and ${other.length}`;
  const index = one.findIndex((text, at) => text !== other[at]);
  return index === -1 ? '' : `${index}: ${one[index]} and ${other[index]}`;
}

async function snapshotOf(t: Test, files: Record<string, string>): Promise<Snapshot> {
  const opened = await openConfig(await configFolder(t, files));
  if (!opened.ok) throw new Error(JSON.stringify(opened.problems));
  t.teardown(() => opened.close());
  return opened.snapshot;
}

function randomFiles(random: Random): Record<string, string> {
  const limits = (most: number) =>
    Array.from({ length: random.below(most + 1) }, (_, index) => randomLimit(random, index));
  const trigger = (key: string) =>
    triggerFile(key, {
      respond: { uses: 'accepted' },
      run: {
        uses: 'echo',
        ...(random.below(2) === 0 && { concurrency: randomConcurrency(random) }),
        ...(random.below(4) === 0 && { delay: random.of(['503ms', '3007ms']) }),
      },
      ...(random.below(4) === 0 && { debounce: { wait: '2s', max: '10s', per: 'customer.id' } }),
      ...(random.below(2) === 0 && { sessions: { onBusy: random.of(['drop', 'replace', 'enqueue']) } }),
      ...(random.below(3) > 0 && { dedup: { uses: 'body', with: { window: random.of(['10s', '5m', '24h']) } } }),
      limits: limits(3),
    });
  return {
    ...basicFiles(),
    'prices.yaml': prices,
    'gateway.yaml': gatewayFile({
      engine: { uses: 'memory', with: { concurrency: random.of([4, 100]) } },
      limits: limits(1),
    }),
    'keys/website.yaml': keyFile('website', { limits: limits(2) }),
    'keys/other.yaml': keyFile('other', { projects: ['support'] }),
    'one.yaml': trigger('one'),
    'two.yaml': trigger('two'),
  };
}

function randomConcurrency(random: Random): number | object {
  const limit = 1 + random.below(4);
  return random.below(2) === 0 ? limit : { limit, per: random.of(['key', 'customer.id']) };
}

function randomLimit(random: Random, index: number): object {
  const unit = random.of(['requests', 'runs', 'tokens', 'cost']);
  const window = random.of(['10s', '1m', '10m', '1d']);
  const hasBurst = (unit === 'requests' || unit === 'runs') && window !== '1d' && random.below(2) === 0;
  const amount = {
    requests: 5 + random.below(60),
    runs: 5 + random.below(40),
    tokens: 500 + random.below(20_000),
    cost: 1 + random.below(20),
  }[unit];
  const per = random.of(
    unit === 'requests' ? [undefined, 'key', 'ip'] : [undefined, 'key', 'ip', 'session', 'customer.id'],
  );
  return {
    name: `limit ${index} of ${unit}`,
    [unit]: `${amount}/${window}`,
    ...(per !== undefined && { per }),
    ...(hasBurst && { burst: 1 + random.below(5) }),
    ...(random.below(5) === 0 && { mode: 'shadow' }),
    ...(unit === 'tokens' && random.below(2) === 0 && { estimate: 100 + random.below(300) }),
    ...(per === 'customer.id' && { values: 3 }),
  };
}

function randomRequests(random: Random): readonly RehearsedRequest[] {
  let at = start;
  return Array.from({ length: arrivals }, () => {
    // Bursts, some at the same moment, and pauses; some hours in all.
    at += 100 * (random.below(10) === 0 ? random.below(600) : random.below(15) * random.below(2));
    const hasUsage = random.below(10) > 0;
    return {
      project: 'support',
      trigger: random.of(['one', 'two']),
      caller: random.of(['website', 'other']),
      receivedAt: at,
      headers: {},
      ip: `192.0.2.${random.below(4)}`,
      bodyText: JSON.stringify({
        customer: { id: `c${random.below(5)}` },
        n: random.below(60),
        ...(random.below(3) === 0 && { sessionId: `s${random.below(6)}` }),
      }),
      took: {
        // Ends of runs, of bursts and of delays do not coincide: which of them is first would say nothing.
        durationMs: 1 + 100 * (random.below(4) === 0 ? 0 : random.below(80)),
        consumed: hasUsage
          ? { tokens: random.below(800), cost: random.below(900_000_000) }
          : { tokens: undefined, cost: undefined },
        hasFailed: random.below(8) === 0,
      },
    };
  });
}
