import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startGateway } from '../src/http/gateway.ts';
import { secrets } from '../test/support/config-folder.ts';
import { hostileConfig, hostileKeys, hostileRequests } from '../test/support/hostile-requests.ts';

export interface HostileAnswer {
  readonly request: string;
  /** Until it is answered. */
  readonly answerMs: number;
  /** The longest that a harmless request took meanwhile. */
  readonly harmlessMs: number;
}

const silent = { info() {}, warn() {}, error() {} };
/** The shortest of them is what the code costs. */
const rounds = 4;

/** Sends hostile requests to a gateway, one after the other, and harmless ones while each is under way. */
export async function hostileAnswers(): Promise<readonly HostileAnswer[]> {
  const root = await mkdtemp(join(tmpdir(), 'pullcord-hostile-'));
  try {
    for (const [file, text] of Object.entries(hostileConfig())) {
      await mkdir(dirname(join(root, file)), { recursive: true });
      await writeFile(join(root, file), text);
    }
    const started = await startGateway({ root, log: silent });
    if (!started.ok) throw new Error(JSON.stringify(started.problems.slice(0, 3)));
    const { gateway } = started;
    const triggers = `http://127.0.0.1:${gateway.address.port}/api/v1.0/project/support/trigger`;
    const send = async (key: string, body: object): Promise<number> => {
      const headers = { 'x-api-key': secrets.website, 'content-type': 'application/json' };
      const startedAt = performance.now();
      await (await fetch(`${triggers}/${key}`, { method: 'POST', headers, body: JSON.stringify(body) })).text();
      return performance.now() - startedAt;
    };
    // A process for isolated filters is up, and code is warm.
    await send('isolated', { plan: 'pro' });
    for (let count = 0; count < 50; count += 1) await send('harmless', { plan: 'pro' });
    const answers: HostileAnswer[] = [];
    for (const [request, { body }] of Object.entries(hostileRequests)) {
      let answerMs = Infinity;
      let harmlessMs = Infinity;
      for (let round = 0; round < rounds; round += 1) {
        let isAnswered = false;
        const answered = send(hostileKeys.get(request) ?? '', body).finally(() => {
          isAnswered = true;
        });
        let longest = 0;
        do longest = Math.max(longest, await send('harmless', { plan: 'pro' }));
        while (!isAnswered);
        answerMs = Math.min(answerMs, await answered);
        harmlessMs = Math.min(harmlessMs, longest);
      }
      answers.push({ request, answerMs: Math.round(answerMs), harmlessMs: Math.round(harmlessMs) });
    }
    await gateway.close();
    return answers;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
