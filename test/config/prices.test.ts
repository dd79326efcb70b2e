import fc from 'fast-check';
import t from 'tap';
import { ConfigLoader } from '../../src/config/load.ts';
import { modelMatcher } from '../../src/config/model-pattern.ts';
import { configFolder, gatewayFile } from '../support/config-folder.ts';

const head = 'version: 1\nkind: Prices\ncurrency: USD\ndefault: { input: 5, output: 25 }\n';

t.test('a pattern matches the whole name of a model, in any case; * stands for any characters', async (t) => {
  const cases: readonly [pattern: string, model: string, isMatch: boolean][] = [
    ['gpt-5-mini', 'gpt-5-mini', true],
    ['gpt-5-mini', 'GPT-5-Mini', true],
    ['GPT-5-mini', 'gpt-5-mini', true],
    ['gpt-5-mini', 'gpt-5-mini-2025-08-07', false],
    ['gpt-5-mini', 'openai/gpt-5-mini', false],
    ['gpt-5-mini*', 'gpt-5-mini', true],
    ['gpt-5-mini*', 'gpt-5-mini-2025-08-07', true],
    ['*gpt-5-mini', 'openai/gpt-5-mini', true],
    ['*/gpt-*-mini*', 'openai/gpt-5-mini-2025-08-07', true],
    ['*/gpt-*-mini*', 'openai/gpt-5', false],
    ['*', '', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*ab*ab*', 'abb', false],
    ['gpt.5', 'gpt-5', false],
    ['gpt-[45]', 'gpt-5', false],
    ['gpt-?', 'gpt-5', false],
  ];
  for (const [pattern, model, isMatch] of cases) t.equal(modelMatcher(pattern)(model), isMatch, `${pattern} ${model}`);
});

t.test('a pattern matches what the same regular expression does', async () => {
  const text = fc.array(fc.constantFrom('a', 'b', '*'), { maxLength: 8 }).map((characters) => characters.join(''));
  fc.assert(
    fc.property(text, text, (pattern, name) => {
      const model = name.replaceAll('*', 'c');
      return modelMatcher(pattern)(model) === new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(model);
    }),
  );
});

t.test('prices are linked in their order, with the defaults of the kinds of tokens', async (t) => {
  const models =
    'models:\n  - { model: "b*", input: 0.25, cached: 0.025, output: 2 }\n  - { model: a, input: 1, output: 3 }\n';
  const root = await configFolder(t, { 'gateway.yaml': gatewayFile(), 'prices.yaml': head + models });
  const loaded = await new ConfigLoader(root).load();
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  t.match(loaded.config.prices, {
    currency: 'USD',
    default: { input: 5, cached: 5, output: 25, reasoning: 25 },
    models: [
      { model: 'b*', input: 0.25, cached: 0.025, output: 2, reasoning: 2 },
      { model: 'a', input: 1, cached: 1, output: 3, reasoning: 3 },
    ],
  });
  t.strictSame(loaded.problems, []);
});

t.test('a config without prices has none', async (t) => {
  const loaded = await new ConfigLoader(await configFolder(t, { 'gateway.yaml': gatewayFile() })).load();
  t.equal(loaded.ok && loaded.config.prices, undefined);
});

t.test('a pattern after one that matches all of its models is a warning that names both places', async (t) => {
  const priced = (models: readonly string[]) =>
    `${head}models:\n${models.map((model) => `  - { model: ${JSON.stringify(model)}, input: 1, output: 2 }\n`).join('')}`;
  const unreachable = async (...models: readonly string[]) => {
    const root = await configFolder(t, { 'gateway.yaml': gatewayFile(), 'prices.yaml': priced(models) });
    const loaded = await new ConfigLoader(root).load();
    t.ok(loaded.ok, 'it is served all the same');
    return loaded.problems.map(({ code, severity, message, place }) => {
      t.strictSame([code, severity], ['unreachable_price', 'warning']);
      return `${place.pointer} ${message.match(/prices\.yaml:\d+/)?.[0]}`;
    });
  };
  t.strictSame(await unreachable('gpt-5', 'GPT-5'), ['/models/1/model prices.yaml:6']);
  t.strictSame(await unreachable('gpt-*', 'gpt-5*', 'claude'), ['/models/1/model prices.yaml:6']);
  t.strictSame(await unreachable('claude', '*', 'gpt-5', '*5*'), [
    '/models/2/model prices.yaml:7',
    '/models/3/model prices.yaml:7',
  ]);
  t.strictSame(await unreachable('gpt-5*', 'gpt-*', '*', '*-*'), ['/models/3/model prices.yaml:8']);
  t.strictSame(await unreachable('gpt-5-mini*', 'gpt-5*', '*5'), []);
});
