import { join } from 'node:path';
import t from 'tap';
import { Parser } from 'yaml';
import { largeConfigFiles, largeTrigger, largeTriggerPath } from '../../bench/large-config.ts';
import { itemsPerSlice, mapInSlices } from '../../src/config/slices.ts';
import { writeInto } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
import { answerOf } from '../support/send.ts';
import { until } from '../support/until.ts';

const triggers = 200;
const plugin = join(import.meta.dirname, '../fixtures/plugins/counting-filter.js');

/** Counts the texts that the YAML parser is given from now on. */
function countParsedTexts(): { texts: number } {
  const counted = { texts: 0 };
  const { end } = Parser.prototype;
  Parser.prototype.end = function* (this: Parser) {
    counted.texts += 1;
    yield* end.call(this);
  };
  t.teardown(() => {
    Parser.prototype.end = end;
  });
  return counted;
}

/** The trigger of the bench, with one more filter, whose instances are counted. */
function countedTrigger(index: number, member = `member-${index}`): string {
  const counted = `filter:\n  - { uses: has-member, with: { member: ${member} } }\n`;
  return largeTrigger(index).replace('filter:\n', counted);
}

t.test('a load parses each file once, and an edit of one trigger revalidates that trigger alone', async (t) => {
  const instances: { created: number; closed: number } = { created: 0, closed: 0 };
  Reflect.set(globalThis, 'pullcordCountingFilter', instances);
  const parsed = countParsedTexts();
  const files = largeConfigFiles(triggers);
  for (let index = 0; index < triggers; index += 1) files[largeTriggerPath(index)] = countedTrigger(index);
  files['gateway.yaml'] += `plugins: [${plugin}]\n`;
  const { gateway, root } = await startTestGateway(t, files);
  t.equal(parsed.texts, Object.keys(files).length);
  t.strictSame(instances, { created: triggers, closed: 0 });

  const { revision } = gateway;
  await writeInto(root, largeTriggerPath(7), countedTrigger(7, 'edited'));
  t.match(await gateway.reloader.reload(), { ok: true, problems: [] });
  t.not(gateway.revision, revision);
  await until(() => instances.closed === 1);
  t.strictSame(instances, { created: triggers + 1, closed: 1 });
  t.equal(parsed.texts, Object.keys(files).length + 1);
});

/** Watches a counter: how far it gets at most in one turn of the event loop. */
function watchTurns(counter: () => number): { readonly largest: number; stop(): void } {
  let seen = counter();
  let largest = 0;
  let next: NodeJS.Immediate;
  const turn = () => {
    largest = Math.max(largest, counter() - seen);
    seen = counter();
    next = setImmediate(turn);
  };
  turn();
  return {
    get largest() {
      return largest;
    },
    stop: () => clearImmediate(next),
  };
}

t.test('while all triggers of a large config change, requests are served in between', async (t) => {
  const instances: { created: number; closed: number } = { created: 0, closed: 0 };
  Reflect.set(globalThis, 'pullcordCountingFilter', instances);
  const files = largeConfigFiles(triggers);
  files['gateway.yaml'] += `plugins: [${plugin}]\n`;
  const { gateway, root, adminUrl } = await startTestGateway(t, files);
  const { revision } = gateway;
  const parsed = countParsedTexts();
  for (let index = 0; index < triggers; index += 1) {
    await writeInto(root, largeTriggerPath(index), countedTrigger(index));
  }
  const parsing = watchTurns(() => parsed.texts);
  const creating = watchTurns(() => instances.created);
  const reloaded = gateway.reloader.reload();
  t.equal((await answerOf(await fetch(`${adminUrl}/livez`))).status, 200);
  t.match(await reloaded, { ok: true });
  parsing.stop();
  creating.stop();
  t.not(gateway.revision, revision);
  t.ok(parsing.largest <= itemsPerSlice, `${parsing.largest} files in one turn`);
  t.ok(creating.largest <= itemsPerSlice, `${creating.largest} instances in one turn`);
});

t.test('work on many items is done in order, a slice in each turn', async (t) => {
  const items = Array.from({ length: itemsPerSlice * 3 + 1 }, (_, index) => index);
  let done = 0;
  const turns = watchTurns(() => done);
  const mapped = await mapInSlices(items, (item) => {
    done += 1;
    return item * 2;
  });
  turns.stop();
  t.strictSame(
    mapped,
    items.map((item) => item * 2),
  );
  t.ok(turns.largest <= itemsPerSlice, `${turns.largest} items in one turn`);
});
