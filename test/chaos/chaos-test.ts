import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { basicFiles, gatewayFile, triggerFile, writeInto } from '../support/config-folder.ts';
import { patience, within } from '../support/patience.ts';
import { startPostgres } from '../support/postgres.ts';
import { startSwallowingProxy } from '../support/swallowing-proxy.ts';
import { startAgent, type WatchingAgent } from './agent.ts';
import { Callers } from './callers.ts';
import { ChaosNode, type NodeLog } from './chaos-node.ts';
import { type Disturbance, disturb, type Place } from './disturbances.ts';
import { type Fault, injectFault } from './faults.ts';
import type { FinalRun, Promises } from './history.ts';
import { findViolations, type Violations } from './violations.ts';

export interface ChaosOptions {
  /** How long nodes are disturbed, at least. */
  readonly seconds: number;
  /** How many runs have to be acknowledged before it ends. */
  readonly acknowledged: number;
  readonly nodes: number;
  /** Breaks the store on purpose: a test that still passes sees nothing. */
  readonly fault: Fault | undefined;
  readonly signal: AbortSignal;
  onProgress(words: string): void;
}

export interface ChaosReport {
  readonly events: Readonly<Partial<Record<Disturbance, number>>>;
  readonly seen: {
    /** Runs that were acknowledged to a caller. */
    readonly acknowledged: number;
    readonly duplicates: number;
    /** Requests that were answered 429, since a limit had no room. */
    readonly limited: number;
    /** Requests that got no answer, or 503. */
    readonly unanswered: number;
    /** Runs that were read at another node as soon as they were acknowledged. */
    readonly readElsewhere: number;
    /** Calls of the agent. */
    readonly attempts: number;
    /** Runs that took more than one attempt. */
    readonly takenOver: number;
    /** Processes, each with another clock. */
    readonly lives: number;
    /** Starts of a process that failed, since the database was out of reach. */
    readonly failedStarts: number;
  };
  readonly violations: Violations;
}

/** Short, so that much is taken over; long enough for a machine that is busy with all of this. */
const leaseMs = 6000;
/** Of the triggers `narrow` and `limited`. */
const narrowLimit = 3;
const limitedRuns = 100;
const endLimitMs = 90_000;

const promises: Promises = {
  concurrency: new Map([['narrow', narrowLimit]]),
  runs: new Map([['limited', limitedRuns]]),
  // A beat every quarter of the lease, and one more that may be late.
  harmlessPauseMs: leaseMs / 2,
};

/** Runs gateways on one database, disturbs them in every way, and checks what callers and agent have seen. */
export async function chaosTest(options: ChaosOptions): Promise<ChaosReport> {
  const closers: (() => Promise<void>)[] = [];
  const owner = { teardown: (closer: () => Promise<void>) => closers.push(closer) };
  try {
    return await runChaos(options, owner);
  } finally {
    for (const closer of closers.reverse()) await closer();
  }
}

async function runChaos(
  { seconds, acknowledged, nodes: count, fault, signal, onProgress }: ChaosOptions,
  owner: { teardown(closer: () => Promise<void>): unknown },
): Promise<ChaosReport> {
  const database = await startPostgres(owner);
  const agent = await startAgent();
  owner.teardown(async () => agent.close());
  const root = await mkdtemp(join(tmpdir(), 'pullcord-chaos-'));
  owner.teardown(() => rm(root, { recursive: true, force: true }));
  await writeConfig(root, agent.url);
  const log: NodeLog = { pauses: [], deaths: [], failedStarts: [], lives: 0 };
  const url = new URL(await database.createDatabase('chaos'));
  const places = await Promise.all(
    Array.from({ length: count }, async (): Promise<Place> => {
      const proxy = await startSwallowingProxy(owner, database.port);
      const through = Object.assign(new URL(url), { port: String(proxy.port) });
      const node = new ChaosNode(root, { DATABASE_URL: through.href }, log);
      owner.teardown(() => node.close());
      return { node, proxy };
    }),
  );
  onProgress(`starting ${count} nodes`);
  await Promise.all(places.map(({ node }) => node.start()));
  if (fault !== undefined) await injectFault(fault, database, url.href);

  const callers = new Callers(places.map(({ node }) => node));
  const calling = callers.run();
  const events: Partial<Record<Disturbance, number>> = {};
  const endsAt = performance.now() + seconds * 1000;
  const isOver = () => (performance.now() > endsAt && callers.acknowledged.size >= acknowledged) || signal.aborted;
  const happened = (kind: Disturbance) => {
    events[kind] = (events[kind] ?? 0) + 1;
    const left = Math.max(0, Math.round((endsAt - performance.now()) / 1000));
    onProgress(`${left} s left, ${callers.acknowledged.size} acknowledged, ${kind}`);
  };
  await disturb({ places, database, leaseMs }, isOver, happened);
  callers.stop();
  signal.throwIfAborted();
  onProgress('waiting until every body is acknowledged');
  await within(calling, endLimitMs, 'the last answers');
  onProgress('waiting for the end of all runs');
  await callers.fillLimit();
  const final = await finalRuns(callers, agent, signal);
  const calls = agent.calls();
  const history = {
    ...{ calls, answers: callers.answers, pauses: log.pauses, unknown: callers.unknown, final },
    ...{ deaths: log.deaths, unexpected: callers.unexpected },
  };
  return {
    events,
    seen: {
      acknowledged: callers.acknowledged.size,
      ...callers.counts,
      attempts: calls.length,
      takenOver: [...final.values()].filter(({ attempt }) => attempt > 1).length,
      lives: log.lives,
      failedStarts: log.failedStarts.length,
    },
    violations: findViolations(history, promises),
  };
}

/** Waits until all runs that were acknowledged or executed are final, or too long. */
async function finalRuns(
  callers: Callers,
  agent: WatchingAgent,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, FinalRun>> {
  const deadline = performance.now() + patience(endLimitMs);
  const triggers = new Map([...callers.answers, ...agent.calls()].map(({ runId, trigger }) => [runId, trigger]));
  const left = [...triggers];
  const final = new Map<string, FinalRun>();
  const reader = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const [runId, trigger] = next;
      for (;;) {
        signal.throwIfAborted();
        const run = await callers.read(runId, trigger);
        final.set(runId, run);
        if ((run.status !== 'queued' && run.status !== 'running') || performance.now() > deadline) break;
        await sleep(200);
      }
    }
  };
  await Promise.all(Array.from({ length: 16 }, reader));
  return final;
}

async function writeConfig(root: string, agentUrl: string): Promise<void> {
  const run = { uses: 'http', with: { url: agentUrl, headers: { 'x-chaos-node': { env: 'CHAOS_NODE' } } } };
  const dedup = { uses: 'body' };
  const respond = { uses: 'accepted' };
  // No run may fail or expire because of what is done to its nodes.
  const engine = {
    uses: 'postgres',
    with: {
      url: { env: 'DATABASE_URL' },
      lease: `${leaseMs / 1000}s`,
      maxInterruptions: 20,
      retention: { count: 1_000_000 },
    },
  };
  const files = {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ engine }),
    'triggers/plain.yaml': triggerFile('plain', { run, dedup, respond }),
    'triggers/session.yaml': triggerFile('session', { run, dedup, respond }),
    'triggers/narrow.yaml': triggerFile('narrow', { run: { ...run, concurrency: narrowLimit }, dedup, respond }),
    // No window of the calendar, which may end meanwhile, and longer than clocks are wrong.
    'triggers/limited.yaml': triggerFile('limited', { run, dedup, respond, limits: [{ runs: `${limitedRuns}/20h` }] }),
    'triggers/once.yaml': triggerFile('once', { run, respond: { uses: 'wait', with: { timeout: '1s' } } }),
  };
  for (const [file, text] of Object.entries(files)) await writeInto(root, file, text);
}
