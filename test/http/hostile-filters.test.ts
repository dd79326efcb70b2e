import { availableParallelism } from 'node:os';
import t from 'tap';
import { triggerFile } from '../support/config-folder.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { hostileConfig, hostileKeys, hostileRequests } from '../support/hostile-requests.ts';
import { keepWorkers } from '../support/isolated-workers.ts';
import { endsBeforeHanging, hangingMs } from '../support/order.ts';
import { until } from '../support/until.ts';

await keepWorkers(t);

/** Fires a harmless trigger again and again until `done`; returns the statuses of the answers. */
async function harmlessStatuses({ fire }: TestGateway, done: Promise<unknown>): Promise<ReadonlySet<number>> {
  let isDone = false;
  void done.finally(() => {
    isDone = true;
  });
  const statuses = new Set<number>();
  do {
    statuses.add((await fire('harmless', { plan: 'pro' })).status);
  } while (!isDone);
  return statuses;
}

t.test('hostile filter requests', async (t) => {
  const gateway = await startTestGateway(t, hostileConfig());
  for (const [name, { answer, body, error }] of Object.entries(hostileRequests)) {
    await t.test(`${name}: the filter ends with ${answer}, and harmless requests are served meanwhile`, async (t) => {
      const key = hostileKeys.get(name) ?? '';
      const answered = gateway.fire(key, body);
      const harmless = harmlessStatuses(gateway, answered);
      const { status, body: problem } = await answered;
      if (answer === 'passes') t.equal(status, 200);
      else t.match({ status, body: problem }, { status: 400, body: { code: answer } });
      t.same(await harmless, new Set([200]), 'harmless requests');
      const logged = gateway.log.filter(({ fields }) => 'trigger' in fields && fields.trigger === key);
      if (error !== undefined) t.match(logged, [{ fields: { outcome: 'filter_error', reason: new RegExp(error) } }]);
    });
  }
});

/** One more than there may be processes for isolated filters. */
const hangingCount = Math.min(Math.max(availableParallelism(), 2), 4) + 2;

t.test('a hanging filter delays no other filter, compiled or isolated', async (t) => {
  const hanging = (timeoutMs: number) => {
    const expression = '($f := function($x){ $f($x + 1) }; $f(1))';
    return triggerFile(`hangs-${timeoutMs}`, {
      filter: [{ name: 'hangs', uses: 'jsonata', with: { expression, timeout: `${timeoutMs}ms` } }],
    });
  };
  const files = Object.fromEntries(hangingMs.map((ms) => [`triggers/hangs-${ms}.yaml`, hanging(ms)]));
  const { fire, log } = await startTestGateway(t, { ...hostileConfig(), ...files });
  await fire('isolated', { plan: 'pro' });
  const hang = (limitMs: number) =>
    Array.from({ length: hangingCount }, async () => {
      const key = `hangs-${limitMs}`;
      t.equal((await fire(key, {})).body.code, 'filter_error');
      // Others wait for a process, and are turned away after five seconds.
      return log.some(
        ({ fields: { trigger, reason = '' } }: { fields: { trigger?: string; reason?: string } }) =>
          trigger === key && reason.includes('D1012'),
      );
    });
  const isFirst = await endsBeforeHanging(hang, async () => {
    for (let count = 0; count < 10; count += 1) {
      // On a machine where a process takes more than five seconds to start, none may be free in time.
      await until(async () => (await fire('isolated', { plan: 'pro' })).status === 200);
      t.equal((await fire('harmless', { plan: 'pro' })).status, 200);
    }
  });
  t.ok(isFirst, 'all others are answered before the first that hangs');
});
