import t from 'tap';
import { newRun } from '../../src/engine/conformance/harness.ts';
import { queuedRecord } from '../../src/engine/execution/records.ts';
import type { RunRecord } from '../../src/engine/types/index.ts';
import { readPage } from '../../src/runtime/read-page.ts';
import { narrowingOf } from '../../src/runtime/where/narrowing.ts';
import { parseWhere } from '../../src/runtime/where/parse-where.ts';
import { requestFields } from '../../src/runtime/where/request-fields.ts';
import { runFields } from '../../src/runtime/where/run-fields.ts';
import { WhereError } from '../../src/runtime/where/tokens.ts';

const now = Date.parse('2027-06-30T12:00:00Z');
const hourMs = 3_600_000;

const failed: RunRecord = {
  ...queuedRecord(
    newRun({ clock: { now: () => now - 3 * hourMs, advance() {} } }, { trigger: 'Ask', sessionId: 'one two' }),
  ),
  state: 'failed',
  attempt: 3,
  failure: { message: 'Timeout after 30s', retryable: true },
  usage: { inputTokens: 900, outputTokens: 100 },
  cost: { nanos: 250_000_000, currency: 'EUR' },
};

t.test('a where selects runs by their fields', async (t) => {
  for (const [text, isSelected] of [
    ['state = failed', true],
    ['STATE = failed AND trigger = support/ask', true],
    ['trigger = ASK', true],
    ['trigger = other', false],
    ['trigger != support/ask', false],
    ['trigger in (support/other, "support/ask")', true],
    ['state in (queued,running)', false],
    ['state = suspect', false],
    ['error ~ timeout', true],
    ['error ~ "after 30"', true],
    ['error = timeout', false],
    ["session = 'one two'", true],
    ['session = "one \\two"', true],
    ['replayOf = ""', true],
    ['replayOf != ""', false],
    ['attempt >= 3 and attempt < 4', true],
    ['attempt in (1, 2)', false],
    ['age > 2h', true],
    ['age > 2h and age < 170m', false],
    ['age>=3h', true],
    ['cost = 0.25', true],
    ['cost > 0.25', false],
    ['tokens <= 1000', true],
    ['caller ~ WEB and project = support and secret = "secrets[1]"', true],
    ['revision = a1b2c3 and request != other', true],
  ] as const) {
    t.equal(parseWhere(text, runFields).matches(failed, now), isSelected, text);
  }
  const { usage: _usage, cost: _cost, ...free } = failed;
  const unknown: RunRecord = { ...free, usage: undefined, cost: undefined };
  t.notOk(parseWhere('cost < 1', runFields).matches(unknown, now), 'what is not known is not less');
  t.ok(parseWhere('cost != 1', runFields).matches(unknown, now));
});

t.test('what is wrong in a where is said with its place and what to write instead', async (t) => {
  for (const [text, message] of [
    ['', 'expected a field, not the end, at character 1. Known fields: state, trigger'],
    ['stat = failed', 'unknown field "stat", at character 1. Did you mean "state"?'],
    ['colour = red', 'unknown field "colour", at character 1. Known fields: state, trigger, '],
    ['state = faild', '"faild" is not one of its values, at character 9. Did you mean "failed"?'],
    ['state failed', 'expected an operator, not "failed", at character 7. state can be compared by = != ~ in.'],
    ['state == failed', 'expected a value, not "=", at character 8.'],
    ['state < failed', 'state cannot be compared by <, at character 7.'],
    ['attempt ~ 3', 'attempt cannot be compared by ~, at character 9. attempt can be compared by = != < > <= >= in.'],
    ['attempt > many', 'expected a number, not "many", at character 11.'],
    ['age > 2 hours', 'expected a duration such as 30s, 2h or 7d, not "2", at character 7.'],
    [
      'state = failed or age > 2h',
      'expected "and" or the end, not "or", at character 16. Write alternatives as: field in',
    ],
    ['error = timed out', 'expected "and" or the end, not "out", at character 15. Quote values'],
    ['state = failed and', 'expected a field, not the end, at character 19.'],
    ['state in failed', 'expected a list, not "failed", at character 10. Write: in (a, b).'],
    ['state in (failed', 'expected "," or ")", not the end, at character 17.'],
    ['error ~ "timeout', 'the quoted value has no end, at character 9.'],
    ['error ~ !', 'unexpected "!", at character 9.'],
  ] as const) {
    try {
      parseWhere(text, runFields);
      t.fail(text);
    } catch (error) {
      t.ok(error instanceof WhereError, text);
      t.ok(String(error).includes(`where: ${message}`), `${text}: ${error}`);
    }
  }
  t.throws(() => parseWhere('verdict = lost', requestFields), /Known values: accepted, dropped/);
});

t.test('a store selects by what it can of a where', async (t) => {
  const narrowing = (text: string) => narrowingOf(parseWhere(text, runFields).conditions, now);
  t.same(narrowing('state = failed and trigger in (support/ask) and age < 2h and request = one'), {
    state: 'failed',
    trigger: 'support/ask',
    since: now - 2 * hourMs,
    requestId: 'one',
  });
  t.same(narrowing('age >= 2h and age > 3h'), { before: now - 3 * hourMs + 1 });
  t.same(narrowing('state != failed and trigger in (a, b) and request = "" and error ~ x'), {});
});

t.test('a page of what a store cannot select is filled from as many of its pages as it needs', async (t) => {
  const items = Array.from({ length: 25_000 }, (_, index) => ({ id: String(index), index }));
  let reads = 0;
  const read = async (last: { index: number } | undefined, limit: number) => {
    reads += 1;
    const from = last === undefined ? 0 : last.index + 1;
    return items.slice(from, from + limit);
  };
  const every = (step: number) => ({ limit: 3, matches: ({ index }: { index: number }) => index % step === step - 1 });
  const first = await readPage(read, every(1000));
  t.same([first.page.map(({ id }) => id), first.next], [['999', '1999', '2999'], '3998'], 'the next page begins there');
  const rare = await readPage(read, every(20_000));
  t.same([rare.page, rare.next], [[], '9999'], 'it ends after a bounded number of items');
  const none = await readPage(async () => items.slice(0, 10), every(20));
  t.same(none, { page: [], next: undefined });
  t.same(await readPage(read, { limit: 2, matches: undefined }), { page: items.slice(0, 2), next: '1' });
  t.ok(reads < 100);
});
