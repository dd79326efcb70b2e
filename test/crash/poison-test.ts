import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { json } from 'node:stream/consumers';
import { basicFiles, gatewayFile, secrets, triggerFile, writeInto } from '../support/config-folder.ts';
import { until } from '../support/until.ts';
import { MortalGateway } from './mortal-gateway.ts';

export interface PoisonReport {
  /** How often the gateway died of the poison run. */
  readonly deaths: number;
  /** What became of the poison run. */
  readonly poison: Row;
  /** What became of the run beside it. */
  readonly bystander: Row;
  /** The answer to the body of the poison run once that has failed. */
  readonly statusOfRepetition: number;
}

interface Row {
  readonly state: string;
  readonly attempt: number;
  readonly interruptions: number;
  readonly failure: string | null;
}

/**
 * Executes a run that kills its gateway each time, restarts the gateway until it survives, and stops it once between: that
 * must not count.
 */
export async function poisonTest(): Promise<PoisonReport> {
  const root = await mkdtemp(join(tmpdir(), 'pullcord-poison-'));
  const gateway = new MortalGateway(root);
  let deaths = 0;
  const held: unknown[] = [];
  let isHarmless = false;
  const agent = createServer(async (request, response) => {
    const { name } = Object(await json(request));
    const answer = () => void response.setHeader('content-type', 'application/json').end('{"done":true}');
    // It outlasts two deaths. From then on it has to end before the poison run may run alone.
    if (name === 'bystander' && deaths < 2) held.push(answer);
    else if (name === 'bystander') answer();
    else if (isHarmless) answer();
    else {
      deaths += 1;
      await gateway.kill();
    }
  });
  try {
    agent.listen(0, '127.0.0.1');
    await once(agent, 'listening');
    const { port } = Object(agent.address());
    await writeConfig(root, `http://127.0.0.1:${port}/`);
    await gateway.start();
    await fire(gateway, 'bystander');
    await until(() => held.length === 1);
    await gateway.stop();
    await gateway.start();
    await until(() => held.length === 2);
    await fire(gateway, 'poison');
    const path = join(root, 'data', 'pullcord.db');
    const rowOf = (name: string) => rowIn(path, name);
    while (rowOf('poison')?.state !== 'failed') {
      await until(() => gateway.url === undefined || rowOf('poison')?.state === 'failed', 60_000);
      if (gateway.url === undefined) await gateway.start();
    }
    isHarmless = true;
    const statusOfRepetition = await fire(gateway, 'poison');
    const [poison, bystander] = [rowOf('poison'), rowOf('bystander')];
    if (poison === undefined || bystander === undefined) throw new Error('an accepted run is lost');
    return { deaths, poison, bystander, statusOfRepetition };
  } finally {
    await gateway.kill();
    agent.closeAllConnections();
    agent.close();
    await rm(root, { recursive: true, force: true });
  }
}

async function writeConfig(root: string, agentUrl: string): Promise<void> {
  const run = { uses: 'http', with: { url: agentUrl } };
  const files = {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ engine: { uses: 'sqlite' } }),
    'triggers/task.yaml': triggerFile('task', { run, dedup: 'body', respond: { uses: 'accepted' } }),
  };
  for (const [file, text] of Object.entries(files)) await writeInto(root, file, text);
}

/** The status of the answer; 0 if the gateway died before it answered. */
async function fire({ url }: MortalGateway, name: string): Promise<number> {
  try {
    const response = await fetch(`${url}/api/v1.0/project/support/trigger/task`, {
      method: 'POST',
      headers: { 'x-api-key': secrets.website, 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    });
    return response.status;
  } catch {
    return 0;
  }
}

/** The first run of a body. */
function rowIn(path: string, name: string): Row | undefined {
  using database = new DatabaseSync(path, { readOnly: true });
  const row = database
    .prepare('SELECT state, attempt, interruptions, failure FROM runs WHERE input LIKE ? ORDER BY accepted_at LIMIT 1')
    .get(`%"${name}"%`);
  if (row === undefined) return undefined;
  const { state, attempt, interruptions, failure } = row;
  return {
    state: String(state),
    attempt: Number(attempt),
    interruptions: Number(interruptions),
    failure: failure === null ? null : String(failure),
  };
}
