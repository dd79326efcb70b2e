import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { json } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { basicFiles, gatewayFile, secrets, triggerFile, writeInto } from '../support/config-folder.ts';
import { patience } from '../support/patience.ts';
import { MortalGateway } from './mortal-gateway.ts';

/** What a crash test saw. All counts of `faults` must be 0. */
export interface CrashReport {
  readonly kills: number;
  /** Requests that were answered 200, 202, or 400 since they were duplicates. */
  readonly succeeded: number;
  readonly accepted: number;
  readonly duplicates: number;
  /** Requests that were answered 429, since a limit had no room. */
  readonly limited: number;
  /** Requests that got no answer, or another one. */
  readonly unanswered: number;
  readonly runs: number;
  /** Runs that were executed more than once, each time under the same id. */
  readonly resumed: number;
  readonly faults: {
    /** Runs that a caller was told of and that the journal does not have. */
    readonly lost: number;
    /** Runs that never ended. */
    readonly unfinished: number;
    /** Runs that the agent saw and the journal does not have. */
    readonly unaccepted: number;
    /** Bodies that ran under more than one id. */
    readonly ranTwice: number;
    /** Attempts of a run whose number did not grow. */
    readonly attemptsThatDidNotGrow: number;
    /** Claims without a run, or runs without their claim. */
    readonly claimsWithoutRun: number;
    /** How far the number of runs under a limit is from its amount, although more were requested. */
    readonly runsBesideLimit: number;
    /** How far a limit of runs has counted from the runs that are stored. */
    readonly runsMiscounted: number;
    /** How far a limit of tokens has counted from what runs have used. */
    readonly tokensMiscounted: number;
    /** What is reserved of limits, although no run is under way. */
    readonly leftReserved: number;
  };
}

export interface CrashTestOptions {
  readonly kills: number;
  /** Called after each kill. */
  onKill?(count: number): void;
}

const clients = 24;
/** How long the gateway lives between two kills, in milliseconds. */
const lifeMs = { least: 20, most: 700 };
const endLimitMs = 60_000;
/** How many runs the trigger `limited` accepts for each kill: enough that kills meet them. */
const limitedRunsPerKill = 20;
/** No day of the calendar, which may end meanwhile. */
const limitWindow = '20h';
/** What an attempt of the agent uses: each another number. */
const tokensOf = (call: number) => ({ inputTokens: 100 + call, outputTokens: 1 });

/** Kills a gateway with SIGKILL again and again under load, and compares what callers, agent and journal have seen. */
export async function crashTest({ kills, onKill }: CrashTestOptions): Promise<CrashReport> {
  const root = await mkdtemp(join(tmpdir(), 'pullcord-crash-'));
  const agent = await startAgent();
  const gateway = new MortalGateway(root);
  try {
    const limitedRuns = limitedRunsPerKill * kills;
    await writeConfig(root, agent.url, limitedRuns);
    const load = new Load();
    await gateway.start();
    const clientsDone = load.run(gateway);
    for (let count = 1; count <= kills; count += 1) {
      await sleep(lifeMs.least + Math.random() * (lifeMs.most - lifeMs.least));
      await gateway.kill();
      onKill?.(count);
      await gateway.start();
    }
    load.stop();
    await clientsDone;
    await load.fill(gateway);
    const path = join(root, 'data', 'pullcord.db');
    await allEnded(path);
    await gateway.kill();
    return report({ kills, limitedRuns }, load, agent.calls, path);
  } finally {
    await gateway.kill();
    agent.server.closeAllConnections();
    agent.server.close();
    await rm(root, { recursive: true, force: true });
  }
}

async function writeConfig(root: string, agentUrl: string, limitedRuns: number): Promise<void> {
  const run = { uses: 'http', with: { url: agentUrl, usage: 'usage' }, retry: { attempts: 5, backoff: '10ms' } };
  const files = {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ engine: { uses: 'sqlite', with: { retention: { count: 1_000_000 } } } }),
    'triggers/wait.yaml': triggerFile('wait', { run, dedup: 'body' }),
    'triggers/limited.yaml': triggerFile('limited', {
      ...{ run, dedup: 'body' },
      limits: [{ runs: `${limitedRuns}/${limitWindow}` }, { tokens: `1000000000/${limitWindow}` }],
    }),
    'triggers/background.yaml': triggerFile('background', { run, dedup: 'body', respond: { uses: 'accepted' } }),
  };
  for (const [file, text] of Object.entries(files)) await writeInto(root, file, text);
}

interface AgentCall {
  readonly runId: string;
  readonly attempt: number;
  readonly body: string;
}

/** An agent that remembers who called it. It takes a moment, so that kills meet runs under way. */
async function startAgent(): Promise<{ server: Server; url: string; calls: AgentCall[] }> {
  const calls: AgentCall[] = [];
  const server = createServer(async (request, response) => {
    try {
      const input = Object(await json(request));
      const { 'idempotency-key': id, 'pullcord-attempt': attempt } = request.headers;
      calls.push({ runId: String(id), attempt: Number(attempt), body: `${input.trigger} ${input.number}` });
      await sleep(Math.random() * 20);
      response
        .setHeader('content-type', 'application/json')
        .end(JSON.stringify({ done: true, usage: tokensOf(calls.length) }));
    } catch {
      response.destroy();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the agent has no port');
  return { server, url: `http://127.0.0.1:${address.port}/`, calls };
}

/** Callers that fire as fast as they are answered, and send some bodies twice or thrice. */
class Load {
  readonly toldRuns = new Set<string>();
  readonly counts = { succeeded: 0, accepted: 0, duplicates: 0, limited: 0, unanswered: 0 };
  #number = 0;
  #isOver = false;

  async run(gateway: MortalGateway): Promise<void> {
    await Promise.all(Array.from({ length: clients }, () => this.#client(gateway)));
  }

  stop(): void {
    this.#isOver = true;
  }

  /** Fires under the limit until a run is refused. */
  async fill(gateway: MortalGateway): Promise<void> {
    while (this.counts.limited === 0) {
      this.#number += clients;
      const numbers = Array.from({ length: clients }, (_, index) => this.#number - index);
      await Promise.all(numbers.map((number) => this.#fire(gateway, 'limited', number)));
    }
  }

  async #client(gateway: MortalGateway): Promise<void> {
    while (!this.#isOver) {
      this.#number += 1;
      const number = this.#number;
      const trigger = number % 3 === 0 ? 'limited' : number % 2 === 0 ? 'wait' : 'background';
      const times = number % 5 === 0 ? 3 : 1;
      await Promise.all(Array.from({ length: times }, () => this.#fire(gateway, trigger, number)));
    }
  }

  /** Tries until it is answered, as a caller does: that is what must never make a second run. */
  async #fire(gateway: MortalGateway, trigger: string, number: number): Promise<void> {
    for (let tries = 0; tries < 1000; tries += 1) {
      const { url } = gateway;
      if (url === undefined) {
        await sleep(5);
        continue;
      }
      try {
        const response = await fetch(`${url}/api/v1.0/project/support/trigger/${trigger}`, {
          method: 'POST',
          headers: { 'x-api-key': secrets.website, 'content-type': 'application/json' },
          body: JSON.stringify({ trigger, number }),
        });
        const body = Object(await response.json());
        if (this.#count(response.status, body)) return;
      } catch {
        this.counts.unanswered += 1;
      }
    }
  }

  #count(status: number, body: { runId?: string; code?: string }): boolean {
    if (body.runId !== undefined) this.toldRuns.add(body.runId);
    if (status === 200) this.counts.succeeded += 1;
    else if (status === 202 || status === 408) this.counts.accepted += 1;
    else if (body.code === 'duplicate') this.counts.duplicates += 1;
    else if (body.code === 'rate_limited') this.counts.limited += 1;
    else {
      this.counts.unanswered += 1;
      return false;
    }
    return true;
  }
}

/** Waits until the last gateway has ended all runs. */
async function allEnded(path: string): Promise<void> {
  const deadline = performance.now() + patience(endLimitMs);
  for (;;) {
    const database = new DatabaseSync(path, { readOnly: true });
    const row = database.prepare("SELECT count(*) AS count FROM runs WHERE state IN ('queued', 'running')").get();
    database.close();
    if (row?.count === 0 || performance.now() > deadline) return;
    await sleep(100);
  }
}

function report(
  { kills, limitedRuns }: { readonly kills: number; readonly limitedRuns: number },
  load: Load,
  calls: readonly AgentCall[],
  path: string,
): CrashReport {
  const database = new DatabaseSync(path, { readOnly: true });
  const rows = database.prepare('SELECT id, state, claim_scope, claim_fingerprint FROM runs').all();
  const claims = database.prepare('SELECT run_id FROM claims').all();
  const limits = limitFaults(database, limitedRuns);
  database.close();
  const stored = new Set(rows.map(({ id }) => String(id)));
  const claimed = new Set(claims.map((claim) => String(claim.run_id)));
  const called = new Map<string, number[]>();
  const runsOfBody = new Map<string, Set<string>>();
  for (const { runId, attempt, body } of calls) {
    called.set(runId, [...(called.get(runId) ?? []), attempt]);
    runsOfBody.set(body, (runsOfBody.get(body) ?? new Set()).add(runId));
  }
  const grows = (attempts: readonly number[]) => attempts.every((one, index) => one > (attempts[index - 1] ?? 0));
  const count = (values: Iterable<boolean>) => [...values].filter(Boolean).length;
  return {
    kills,
    ...load.counts,
    runs: rows.length,
    resumed: count([...called.values()].map((attempts) => attempts.length > 1)),
    faults: {
      lost: count([...load.toldRuns].map((id) => !stored.has(id))),
      unfinished: count(rows.map(({ state }) => state === 'queued' || state === 'running')),
      unaccepted: count([...called.keys()].map((id) => !stored.has(id))),
      ranTwice: count([...runsOfBody.values()].map((ids) => ids.size > 1)),
      attemptsThatDidNotGrow: count([...called.values()].map((attempts) => !grows(attempts))),
      claimsWithoutRun:
        count([...claimed].map((id) => !stored.has(id))) +
        count(rows.map(({ id, state }) => state === 'succeeded' && !claimed.has(String(id)))),
      ...limits,
    },
  };
}

/** Compares what limits have counted with the runs that are stored. */
function limitFaults(database: DatabaseSync, limitedRuns: number) {
  const stored = database
    .prepare(
      `SELECT count(*) AS runs, coalesce(sum(input_tokens + output_tokens), 0) AS tokens
       FROM runs WHERE trigger_key = 'limited'`,
    )
    .get();
  const counters = database.prepare('SELECT limit_id, used, open FROM limits').all();
  const of = (unit: string) => counters.find(({ limit_id: id }) => String(id).includes(unit));
  const runs = Number(stored?.runs);
  return {
    runsBesideLimit: Math.abs(runs - limitedRuns),
    runsMiscounted: Math.abs(Number(of('runs')?.used ?? 0) - runs),
    tokensMiscounted: Math.abs(Number(of('tokens')?.used ?? 0) - Number(stored?.tokens)),
    leftReserved: counters.reduce((sum, { open }) => sum + Number(open), 0),
  };
}
