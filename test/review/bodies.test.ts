import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { ConfigLoader } from '../../src/config/load.ts';
import { openConfig } from '../../src/review/open-config.ts';
import { runPlan } from '../../src/review/plan/result.ts';
import { readRequests } from '../../src/review/request-source.ts';
import { runTests } from '../../src/review/run-tests.ts';
import { maskLines } from '../../src/runtime/recording/mask-lines.ts';
import { basicFiles, configFolder, gatewayFile, projectFile, triggerFile } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';

const formType = 'application/x-www-form-urlencoded';
const body = { fields: 'free', accept: ['json', 'form', 'text'], form: { json: 'payload' } };
const filter = [
  { name: 'actions', uses: 'jsonata', with: { expression: 'payload.type = "action" or $exists(items)' } },
];

const action = 'payload=%7B%22type%22%3A%22action%22%2C%22user%22%3A%7B%22email%22%3A%22a%40b%22%7D%7D&ticket=t';

async function recordingGateway(t: Parameters<typeof startTestGateway>[0], mask: readonly string[]) {
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ recording: { rate: 1, mask } }),
    'hook.yaml': triggerFile('hook', { body, filter, dedup: 'body' }),
  });
  const multipart = `--x\r\ncontent-disposition: form-data; name="ticket"\r\n\r\nt\r\n--x--\r\n`;
  const sent: [string, string][] = [
    [action, formType],
    ['command=%2Fdo&ticket=t', formType],
    [multipart, 'multipart/form-data; boundary=x'],
    ['refund order 7', 'text/plain'],
    ['[{"id":12345678901234567890},{"ticket":"t"}]', 'application/json'],
    ['{"payload":{"type":"action"},"ticket":"t"}', 'application/json'],
  ];
  for (const [raw, type] of sent) await gateway.fire('hook', undefined, { raw, headers: { 'content-type': type } });
  return { gateway, sent };
}

t.test(
  'recorded forms, text and lists keep their text and type, and are judged as the gateway judged them',
  async (t) => {
    const { gateway, sent } = await recordingGateway(t, []);
    const requests = await readRequests(gateway.adminUrl, { token: undefined, now: 0 });
    t.strictSame(
      requests.map(({ bodyText, headers }) => [bodyText, headers['content-type']]),
      sent,
    );
    t.strictSame(
      requests.map(({ verdict }) => verdict),
      ['accepted', 'dropped', 'dropped', 'dropped', 'accepted', 'accepted'],
    );
    // Without the JSON in it, a form has no type.
    const head = await configFolder(t, {
      ...basicFiles(),
      'gateway.yaml': gatewayFile({ recording: { rate: 1 } }),
      'hook.yaml': triggerFile('hook', { body: { ...body, form: {} }, filter, dedup: 'body' }),
    });
    const result = await runPlan({
      base: { root: gateway.root, label: 'base' },
      head: { root: head, label: 'head' },
      ...{ requests, showBodies: true, now: Date.now() },
    });
    if (!result.ok) return t.fail(JSON.stringify(result.problems));
    t.equal(result.plan.behaviour?.asRecorded, requests.length);
    t.equal(result.plan.behaviour?.changed, 1);
    t.match(JSON.stringify(result.plan.structure), /body form json/);
  },
);

t.test('values of forms, text and lists are masked in recordings and exports', async (t) => {
  const { gateway } = await recordingGateway(t, ['/ticket', '/items/1/ticket', '/text']);
  const exported = await text(Readable.fromWeb((await fetch(`${gateway.adminUrl}/requests/export`)).body as never));
  const lines = exported
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const shown = lines.map(({ text, body }) => text ?? body);
  t.equal(new URLSearchParams(shown[0]).get('ticket'), '***');
  t.equal(new URLSearchParams(shown[0]).get('payload'), '{"type":"action","user":{"email":"a@b"}}');
  t.equal(shown[1], 'command=%2Fdo&ticket=***');
  t.equal(shown[2], 'ticket=***');
  t.equal(lines[2].headers['content-type'], formType);
  t.equal(shown[3], '***');
  t.match(exported, '[{"id":12345678901234567890},{"ticket":"***"}]');
  t.strictSame(shown[5], { payload: { type: 'action' }, ticket: '***' });
  t.strictSame(
    lines.map(({ masked }) => masked),
    [...[['/ticket'], ['/ticket'], ['/ticket'], ['/text'], ['/items/1/ticket'], ['/ticket']]],
  );
  const more = await text(maskLines(Readable.from([exported]), ['/payload/user/email', '/command', '/items/0']));
  const masked = more
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.equal(new URLSearchParams(masked[0].text).get('payload'), '{"type":"action","user":{"email":"***"}}');
  t.equal(new URLSearchParams(masked[1].text).get('command'), '***');
  t.strictSame(masked[4].body[0], {});
  t.notMatch(more, /a(?:@|%40)b/);
});

t.test('tests send forms, text and lists, and the verdict is that of the gateway', async (t) => {
  const expect = { verdict: 'accepted' };
  const tests = [
    {
      name: 'a form',
      form: { payload: { type: 'action' }, many: ['a', 'b'] },
      expect: { ...expect, input: { many: ['a', 'b'] } },
    },
    { name: 'a list', body: [{ id: 1 }], expect: { ...expect, input: { items: [{ id: 1 }] } } },
    { name: 'text', text: 'hello', expect: { verdict: 'dropped', by: 'actions' } },
    { name: 'twice', form: { payload: { type: 'action' } }, expect: { verdict: 'duplicate' } },
    { name: 'after', form: { payload: { type: 'action' } }, after: [{ text: 'other' }], expect },
  ];
  const only = [
    { name: 'JSON', body: { a: 1 }, expect: { verdict: 'refused', status: 415 } },
    { name: 'a form', form: { a: '1' }, expect: { ...expect, input: { a: '1' } } },
    { name: 'no session', form: { a: ['1', '2'] }, expect: { verdict: 'refused', code: 'invalid_body' } },
  ];
  const root = await configFolder(t, {
    ...basicFiles(),
    'hook.yaml': triggerFile('hook', { body, filter, dedup: 'body', tests }),
    'only.yaml': triggerFile('only', { body: { fields: 'free', accept: ['form'], session: 'a' }, tests: only }),
  });
  const opened = await openConfig(root);
  if (!opened.ok) return t.fail(JSON.stringify(opened.problems));
  t.teardown(() => opened.close());
  const { triggers } = await runTests(opened.snapshot);
  const results = triggers.flatMap((trigger) => trigger.tests);
  t.equal(results.length, 8);
  for (const { name, mismatches } of results) t.strictSame(mismatches, [], name);
});

t.test('faults of body are found with their place', async (t) => {
  const root = await configFolder(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ server: { bodyLimit: '64KiB' }, defaults: { body: { limit: '128KiB' } } }),
    'project.yaml': projectFile('support', { defaults: { body: { limit: '32KiB' } } }),
    'fine.yaml': triggerFile('fine'),
    'large.yaml': triggerFile('large', { body: { limit: '65KiB' } }),
    'twice.yaml': triggerFile('twice', {
      tests: [{ name: 'two bodies', body: {}, text: 'a', expect: { verdict: 'accepted' } }],
    }),
  });
  const loaded = await new ConfigLoader(root).load();
  t.match(
    loaded.problems.map(({ code, place: { file, pointer } }) => [code, file.split('/').at(-1), pointer]),
    [
      ['out_of_range', 'large.yaml', '/body/limit'],
      ['misplaced_field', 'twice.yaml', '/tests/0/text'],
    ],
  );
  const sessions = await configFolder(t, {
    ...basicFiles(),
    'a.yaml': triggerFile('a', { body: { session: 'event.' } }),
    'b.yaml': triggerFile('b', { body: { session: '"one"' } }),
    'c.yaml': triggerFile('c', { body: { session: 'event.thread' } }),
  });
  const opened = await openConfig(sessions);
  t.equal(opened.ok, false);
  if (opened.ok) return;
  t.match(
    opened.problems.map(({ code, place: { file, pointer, offset } }) => [
      code,
      file.split('/').at(-1),
      pointer,
      offset,
    ]),
    [
      ['bad_option', 'a.yaml', '/body/session', 6],
      ['bad_option', 'b.yaml', '/body/session', undefined],
    ],
  );
});

t.test('a body is inherited as a whole, from the trigger, its project, or the gateway', async (t) => {
  const gateway = await startTestGateway(t, {
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ defaults: { body: { fields: 'free' } } }),
    'other.yaml': projectFile('other', { defaults: { body: { accept: ['text'] } } }),
    'own.yaml': triggerFile('own', { body: { accept: ['json', 'form'] } }),
    'free.yaml': triggerFile('free'),
    'text.yaml': triggerFile('text', { project: 'other' }),
  });
  const input = async (key: string, raw: string, type: string, project = 'support') => {
    const secret = 'pc_all_secret_of_the_tests';
    const { status, body } = await gateway.fire(key, undefined, {
      raw,
      project,
      secret,
      headers: { 'content-type': type },
    });
    return status === 200 ? body.output : status;
  };
  t.strictSame(await input('free', '{"language":1}', 'application/json'), { language: 1 });
  t.equal(await input('own', '{"language":1}', 'application/json'), 400);
  t.strictSame(await input('own', 'a=1', formType), { environment: 'api', language: 'en', a: '1' });
  t.match(await input('text', 'hi', 'text/plain', 'other'), { text: 'hi', language: 'en' });
});
