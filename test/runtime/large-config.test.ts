import { join } from 'node:path';
import t from 'tap';
import { Parser } from 'yaml';
import { largeConfigFiles, largeTrigger, largeTriggerPath } from '../../bench/large-config.ts';
import { writeInto } from '../support/config-folder.ts';
import { startTestGateway } from '../support/gateway.ts';
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
