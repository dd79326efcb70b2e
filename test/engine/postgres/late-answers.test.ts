import t from 'tap';
import { ClusterEngine } from '../../../src/engine/cluster/cluster-engine.ts';
import type { AttemptOperation, SharedStore } from '../../../src/engine/cluster/shared-store.ts';
import { foreverMs, keepAll, newRun, until } from '../../../src/engine/conformance/harness.ts';
import { success, Worker } from '../../../src/engine/conformance/worker.ts';
import { openStore } from '../../../src/engine/postgres/open-store.ts';
import type { Life } from '../../../src/engine/types/index.ts';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { recordingLog } from '../../support/recording-log.ts';
import { defaults, testDatabase } from './database.ts';

const clock = { now: Date.now, advance() {} };

t.test(
  'a run that is taken again before the store has answered its retry',
  { skip: skipWithoutPostgres },
  async (t) => {
    const database = await testDatabase(t);
    const { store } = await openStore({ ...defaults, url: database.url }, (path) => path);
    const answered = Promise.withResolvers<void>();
    const late: SharedStore = new Proxy(store, {
      get(target, name) {
        if (name === 'write') {
          return async (life: Life, operation: AttemptOperation) => {
            const answer = await store.write(life, operation);
            if (operation.kind === 'retry') await answered.promise;
            return answer;
          };
        }
        const member = Reflect.get(target, name, target);
        return typeof member === 'function' ? member.bind(target) : member;
      },
    });
    const engine = new ClusterEngine({
      ...{ store: late, log: recordingLog(), node: { name: 'test', version: '0' } },
      options: { concurrency: 10, leaseMs: 8000, onPartition: 'abort' },
    });
    t.teardown(() => engine.close(0));
    const worker = new Worker();
    await engine.start(worker);
    const run = newRun({ clock }, { policy: { ...keepAll, mask: ['/instruction'] } });
    const submission = await engine.submit(run, undefined);
    if (submission.kind !== 'accepted') throw new Error(submission.kind);
    (await worker.started(run.id)).settle({ kind: 'retry', message: 'the agent answered 503', delayMs: 1 });
    const next = await until(async () => {
      engine.reconsider();
      return worker.attempts[1];
    });
    t.match(next.run, { attempt: 2, input: run.input });
    answered.resolve();
    next.settle(success);
    t.match(await submission.wait(foreverMs), { state: 'succeeded', attempt: 2 });
    t.equal(engine.load().running, 0);
  },
);
