import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t from 'tap';
import type { Audit, AuditEntry } from '../../src/engine/types/index.ts';
import { EngineUnavailable } from '../../src/engine/types/index.ts';
import { type AuditedEnd, AuditTrail } from '../../src/runtime/audit/audit-trail.ts';
import { adminToken, askAdmin } from '../support/admin.ts';
import { basicFiles, gatewayFile, triggerFile, writeInto } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';

const ops = adminToken('ops', 'operate');
const watcher = adminToken('watcher', 'read');
const bearer = (secret: string) => ({ 'content-type': 'application/json', authorization: `Bearer ${secret}` });

function files(more: object = {}): Record<string, string> {
  return {
    ...basicFiles(),
    'echo.yaml': triggerFile('echo'),
    'slow.yaml': triggerFile('slow', {
      run: { uses: 'echo', with: { delay: '1h' } },
      respond: { uses: 'accepted' },
    }),
    'gateway.yaml': gatewayFile({
      admin: { port: 0, tokens: [ops.declared, watcher.declared] },
      limits: [{ runs: '100/1d', per: 'key', name: 'daily' }],
      ...more,
    }),
  };
}

for (const engine of [{ uses: 'memory' }, { uses: 'sqlite' }]) {
  t.test(
    `every admin action has an entry, with who, what, from where, before and after (${engine.uses})`,
    async (t) => {
      const { adminUrl, fire, root, gateway } = await startTestGateway(t, files({ engine }));
      const post = (path: string, secret = ops.secret) => askAdmin(adminUrl, 'POST', path, bearer(secret));
      const { runId } = (await fire('slow', { instruction: 'a secret of the caller' })).body;
      const refused = await post(`/runs/${runId}/cancel`, watcher.secret);
      const cancelled = await post(`/runs/${runId}/cancel`);
      await post(`/runs/${runId}/cancel`);
      const replayed = await post(`/runs/${runId}/replay`);
      await post('/runs/unknown/replay');
      const reset = await post('/limits/reset?limit=daily&value=website');
      const { revision } = gateway;
      await writeInto(root, 'gateway.yaml', 'kind: Gateway');
      const reloaded = await post('/config/reload');
      t.equal(reloaded.status, 422);

      const { entries, next } = (await askAdmin(adminUrl, 'GET', '/audit', bearer(watcher.secret))).body;
      t.equal(next, null);
      const common = { actor: 'ops', role: 'operate', ip: '127.0.0.1' };
      t.match(entries.toReversed(), [
        {
          ...{ actor: 'watcher', role: 'read', ip: '127.0.0.1', action: 'runs.cancel', target: runId },
          ...{ outcome: 'refused', reason: 'forbidden', before: null, after: null },
          requestId: refused.headers['x-request-id'],
        },
        {
          ...{ ...common, action: 'runs.cancel', target: runId, outcome: 'succeeded', reason: null },
          ...{ before: { state: 'running' }, after: { state: 'cancelled' } },
          requestId: cancelled.headers['x-request-id'],
        },
        { ...common, action: 'runs.cancel', outcome: 'failed', reason: 'already_final' },
        {
          ...{ ...common, action: 'runs.replay', target: runId, outcome: 'succeeded' },
          ...{ before: { state: 'cancelled' }, after: { runId: replayed.body.runId } },
        },
        { ...common, action: 'runs.replay', target: 'unknown', outcome: 'failed', reason: 'run_not_found' },
        {
          ...{ ...common, action: 'limits.reset', target: reset.body.limit, outcome: 'succeeded' },
          ...{ before: { value: 'website', unit: 'runs', used: 1 }, after: { counters: 1 } },
        },
        {
          ...{ ...common, action: 'config.reload', outcome: 'failed', reason: 'rejected' },
          ...{ before: { revision }, after: { revision, outcome: 'rejected', tried: String } },
        },
      ]);
      for (const { at, endedAt, id } of entries) t.ok(id && Date.parse(at) <= Date.parse(endedAt));
      t.notMatch(JSON.stringify(entries), /a secret of the caller|pca_/);

      const lines = (await askAdmin(adminUrl, 'GET', '/audit/export', bearer(watcher.secret))).text
        .trimEnd()
        .split('\n');
      t.strictSame(
        lines.map((line) => JSON.parse(line)),
        entries.toReversed(),
      );
    },
  );
}

t.test('the audit trail is filtered and paged, and an unknown parameter is refused', async (t) => {
  const { adminUrl } = await startTestGateway(t, files());
  for (const path of ['/runs/a/cancel', '/runs/b/cancel', '/runs/c/replay']) {
    await askAdmin(adminUrl, 'POST', path, bearer(ops.secret));
  }
  await askAdmin(adminUrl, 'POST', '/runs/d/replay', bearer(watcher.secret));
  const list = async (query: string) => askAdmin(adminUrl, 'GET', `/audit${query}`, bearer(ops.secret));
  const targets = async (query: string) =>
    (await list(query)).body.entries.map(({ target }: { target: string }) => target);
  t.strictSame(await targets(''), ['d', 'c', 'b', 'a']);
  t.strictSame(await targets('?actor=watcher'), ['d']);
  t.strictSame(await targets('?action=runs.cancel'), ['b', 'a']);
  t.strictSame(await targets('?since=1h&actor=ops&action=runs.replay'), ['c']);
  t.strictSame(await targets('?since=2999-01-01'), []);
  const { body } = await list('?limit=3');
  t.equal(body.entries.length, 3);
  t.strictSame(await targets(`?limit=3&after=${body.next}`), ['a']);
  for (const query of ['?limit=0', '?since=yesterday', '?after=unknown', '?who=ops', '?actor=a&limit=x']) {
    t.match(await list(query), { status: 400, body: { code: 'bad_request' } }, query);
  }
  t.equal((await askAdmin(adminUrl, 'GET', '/audit/export?who=ops', bearer(ops.secret))).status, 400);
});

t.test('a recorded request that is fired has an entry; a dry run has none', async (t) => {
  const filter = [{ name: 'none', uses: 'jsonata', with: { expression: 'order = 1' } }];
  const { adminUrl, fire, root, gateway } = await startTestGateway(t, {
    ...files(),
    'picky.yaml': triggerFile('picky', { filter }),
  });
  t.equal((await fire('picky', { order: 2 })).status, 400);
  const { requests } = (await askAdmin(adminUrl, 'GET', '/requests', bearer(ops.secret))).body;
  const { id } = requests[0];
  const post = (path: string) => askAdmin(adminUrl, 'POST', path, bearer(ops.secret));
  await post(`/requests/${id}/fire`);
  await writeInto(root, 'picky.yaml', triggerFile('picky'));
  await gateway.reloader.reload({ always: true });
  await post(`/requests/${id}/fire?dryRun=true`);
  const fired = await post(`/requests/${id}/fire`);
  t.equal(fired.status, 202);
  const { entries } = (await askAdmin(adminUrl, 'GET', '/audit?action=requests.fire', bearer(ops.secret))).body;
  t.match(entries, [
    { target: id, outcome: 'succeeded', before: { verdict: 'dropped' }, after: { runId: fired.body.run.runId } },
    { target: id, outcome: 'failed', reason: 'dropped' },
  ]);
  t.equal(entries.length, 2);
});

t.test('without tokens the actor is loopback', async (t) => {
  const { adminUrl } = await startTestGateway(t, basicFiles());
  await askAdmin(adminUrl, 'POST', '/config/reload', { 'content-type': 'application/json' });
  const { entries } = (await askAdmin(adminUrl, 'GET', '/audit')).body;
  t.match(entries, [{ actor: 'loopback', role: 'operate', action: 'config.reload', outcome: 'succeeded' }]);
});

t.test('an action that cannot be recorded is not done', async (t) => {
  const { adminUrl, fire, root } = await startTestGateway(t, files({ engine: { uses: 'sqlite' } }));
  const { runId } = (await fire('slow', {})).body;
  {
    using database = new DatabaseSync(join(root, 'data/pullcord.db'));
    database.exec("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'no room'); END");
  }
  const cancelled = await askAdmin(adminUrl, 'POST', `/runs/${runId}/cancel`, bearer(ops.secret));
  t.ok([500, 503].includes(cancelled.status ?? 0));
  t.equal((await askAdmin(adminUrl, 'GET', `/runs/${runId}`, bearer(ops.secret))).body.state, 'running');
});

const actor = { actor: 'ops', role: 'operate', ip: '127.0.0.1', requestId: 'r' };
const action = { action: 'runs.cancel', target: 'x' };

/** Keeps every version of every entry. */
function recordingAudit(fails: (entry: AuditEntry) => boolean = () => false) {
  const written: AuditEntry[] = [];
  const audit: Pick<Audit, 'put'> = {
    put(entry) {
      if (fails(entry)) throw new EngineUnavailable('away');
      written.push(entry);
    },
  };
  return { written, audit: { ...audit, get: () => undefined, list: () => [] } satisfies Audit };
}

t.test('an entry is stored as started before its action begins, and completed after', async (t) => {
  const { written, audit } = recordingAudit();
  let seen: readonly AuditEntry[] = [];
  const end: AuditedEnd = { outcome: 'succeeded', after: { state: 'cancelled' } };
  const work = async () => {
    seen = [...written];
    return 'done';
  };
  t.equal(await new AuditTrail(audit).perform(actor, action, work, () => end), 'done');
  t.match(seen, [{ outcome: 'started', endedAt: undefined }]);
  t.match(written, [{ outcome: 'started' }, { id: seen[0]?.id, at: seen[0]?.at, ...end, endedAt: Number }]);
});

t.test('what fails, and what cannot be completed, says so', async (t) => {
  const failing = recordingAudit();
  const failure = async () => {
    throw new EngineUnavailable('away');
  };
  await t.rejects(new AuditTrail(failing.audit).perform(actor, action, failure, () => ({ outcome: 'succeeded' })));
  t.match(failing.written, [{ outcome: 'started' }, { outcome: 'failed', reason: 'unavailable' }]);

  const lost: string[] = [];
  const forgetful = recordingAudit(({ outcome }) => outcome !== 'started');
  const trail = new AuditTrail(forgetful.audit, (_error, { outcome }) => lost.push(outcome));
  t.equal(
    await trail.perform(
      actor,
      action,
      async () => 1,
      () => ({ outcome: 'succeeded' }),
    ),
    1,
  );
  await trail.refused(actor, action, 'forbidden');
  t.strictSame(lost, ['succeeded', 'refused']);

  const away = recordingAudit(() => true);
  let isDone = false;
  const done = async () => {
    isDone = true;
  };
  await t.rejects(new AuditTrail(away.audit).perform(actor, action, done, () => ({ outcome: 'succeeded' })));
  t.equal(isDone, false);
});

t.test('a token that may only read cannot displace the audit trail by attempts', async (t) => {
  const { written, audit } = recordingAudit();
  const trail = new AuditTrail(audit);
  for (let count = 0; count < 300; count += 1) await trail.refused(actor, action, 'forbidden');
  await trail.refused({ ...actor, actor: 'other' }, action, 'forbidden');
  t.equal(written.filter((entry) => entry.actor === 'ops').length, 100);
  t.equal(written.filter((entry) => entry.actor === 'other').length, 1);
});
