import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGateway } from '../../src/http/gateway.ts';
import { basicFiles, secrets, triggerFile, writeInto } from '../support/config-folder.ts';
import { recordingLog } from '../support/recording-log.ts';
import { scriptOptions, wholeNumber } from '../support/script-options.ts';

const help = `npm run soak-test [-- OPTIONS]

Waits for an agent that is silent for minutes. Exits 1 unless its answer is taken.

  --minutes N   how long (6)`;

const values = scriptOptions(help, { minutes: { type: 'string', default: '6' } });
const silenceMs = wholeNumber('minutes', values.minutes) * 60_000;

const agent = createServer(async (_request, response) => {
  await sleep(silenceMs);
  response.setHeader('content-type', 'application/json').end('"here I am"');
});
agent.listen(0, '127.0.0.1');
await once(agent, 'listening');
const address = agent.address();
if (typeof address !== 'object' || address === null) throw new Error('the agent has no port');

const root = await mkdtemp(join(tmpdir(), 'pullcord-soak-'));
const run = { uses: 'http', with: { url: `http://127.0.0.1:${address.port}/`, timeout: '24h' } };
const files = { ...basicFiles(), 'silent.yaml': triggerFile('silent', { run, respond: { uses: 'accepted' } }) };
for (const [file, text] of Object.entries(files)) await writeInto(root, file, text);
const started = await startGateway({ root, log: recordingLog() });
if (!started.ok) throw new Error(JSON.stringify(started.problems));
const { gateway } = started;
const origin = `http://127.0.0.1:${gateway.address.port}`;
const headers = { 'x-api-key': secrets.website };
try {
  const fired = await fetch(`${origin}/api/v1.0/project/support/trigger/silent`, { method: 'POST', headers });
  const { statusUrl } = Object(await fired.json());
  const startedAt = performance.now();
  for (;;) {
    const seen = Object(await (await fetch(`${origin}${statusUrl}?wait=60s`, { headers })).json());
    console.error(`${Math.round((performance.now() - startedAt) / 1000)} s: ${seen.status}`);
    if (seen.status === 'running') continue;
    if (seen.status !== 'succeeded' || seen.attempt !== 1) throw new Error(JSON.stringify(seen));
    break;
  }
} finally {
  await gateway.close();
  agent.closeAllConnections();
  agent.close();
  await rm(root, { recursive: true });
}
