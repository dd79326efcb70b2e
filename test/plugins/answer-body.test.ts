import t from 'tap';
import accepted from '../../plugins/respond/accepted/index.ts';
import stream from '../../plugins/respond/stream/index.ts';
import wait from '../../plugins/respond/wait/index.ts';
import { type AcceptedOutcome, type BodyReply, OptionsError, WorkBudget } from '../../src/contract/index.ts';
import { exchangeOf, pluginContext } from '../support/exchange.ts';

type Options = Parameters<typeof wait.create>[1];
const waiting: Options = { timeout: 30_000, async: true, stream: false };

function problemsOf(create: () => unknown): OptionsError['problems'] {
  try {
    create();
  } catch (error) {
    if (OptionsError.is(error)) return error.problems;
    throw error;
  }
  return [];
}

const run = (output: string | readonly string[]): AcceptedOutcome => ({
  kind: 'accepted',
  runId: 'run-1',
  statusUrl: '/run/run-1',
  async *deltas() {},
  wait: () => ({ state: 'succeeded', output, failure: undefined, usage: undefined }),
});

t.test('reports all faults of bodies at load time, each at its place in the options', async (t) => {
  const problems = problemsOf(() =>
    wait.create(pluginContext, {
      ...waiting,
      body: '{ "text": output + }',
      accepted: { status: 200, body: { text: { plain: 'Hi {{ runId + }}' } } },
      dropped: { status: 200, body: '{"text": "Hi {{ filter + }}"}' },
      headers: ['x-api-key'],
    }),
  );
  t.match(problems, [
    { pointer: '/headers/0', message: /carries a secret/ },
    { pointer: '/accepted/body/text/plain', offset: 'Hi {{ runId + '.length },
    { pointer: '/body', offset: '{ "text": output + '.length },
    { pointer: '/dropped/body', offset: '{"text": "Hi {{ filter + '.length },
  ]);
  t.equal(problems.length, 4);
});

t.test('refuses a body that would never be sent: of a 204, and of a problem', async (t) => {
  const body = '"Hi"';
  t.match(
    problemsOf(() => accepted.create(pluginContext, { accepted: { status: 204 }, body })),
    [{ pointer: '/body', message: 'is never sent: a 204 has no body' }],
  );
  t.match(
    problemsOf(() => stream.create(pluginContext, { timeout: 1000, dropped: { status: 422, body } })),
    [{ pointer: '/dropped/body', message: 'is never sent: a 422 is a problem' }],
  );
  t.strictSame(
    problemsOf(() => accepted.create(pluginContext, { accepted: { status: 200 }, body })),
    [],
  );
});

t.test('the request pays for its body from its budget of work: without enough, the standard one is sent', async (t) => {
  const output = Array.from({ length: 1000 }, (_, index) => `item ${index}`);
  const plugin = wait.create(pluginContext, { ...waiting, body: '{ "all": output.($ & "!") }' });
  const answer = (work: WorkBudget) => plugin.respond(exchangeOf({}, { work }), run(output)) as BodyReply;
  const enough = new WorkBudget();
  t.match(answer(enough), { status: 200, body: { all: output.map((item) => `${item}!`) } });
  t.ok(enough.spent > output.length);
  t.strictSame(answer(new WorkBudget(output.length)), {
    status: 200,
    body: { runId: 'run-1', status: 'succeeded', output },
  });
});

t.test('warns of a variable that no body can read', async (t) => {
  const findings: unknown[] = [];
  const context = { ...pluginContext, report: (finding: unknown) => void findings.push(finding) };
  accepted.create(context, { body: '{ "text": $response.body }' });
  t.match(findings, [{ severity: 'warning', pointer: '/body', message: /^\$response is undefined/ }]);
});
