import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import t from 'tap';
import { digestProgram } from '../../src/review/named-files/digest-file.ts';
import { command } from '../support/command.ts';
import { basicFiles, configFolder, gatewayFile, triggerFile } from '../support/config-folder.ts';
import { planOf } from '../support/plan.ts';

const door = (kind: 'anyone' | 'declared') => `export default { contract: 'v1', stage: 'auth', name: 'door',
  summary: 'Lets in whom its code says.', optionsSchema: { type: 'object', additionalProperties: false },
  review: () => ({ callers: { kind: '${kind}' } }),
  create: () => ({ authenticate: () => ({ kind: 'abstained' }) }) };`;
const doored = (code: string, more: Record<string, string> = {}) => ({
  ...basicFiles(),
  'gateway.yaml': gatewayFile({ plugins: ['./plugins/door.mjs'] }),
  'plugins/door.mjs': code,
  'ask.yaml': triggerFile('ask', { auth: { uses: 'door' } }),
  ...more,
});
const publicKey = () =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }).toString();
const keyOne = publicKey();
const importing = `import rules from './rules/all.mjs';\n${door('declared')}\nexport { rules };`;

t.test('plan warns of the changed code of an auth plugin, in its file or in one that it imports', async (t) => {
  const before = doored(door('declared'));
  const changed = await planOf(t, { before, after: doored(`${door('declared')} // everybody, all projects`) });
  t.strictSame(changed.codes, ['plugin_changed']);
  t.strictSame(changed.details, ['acme plugin: plugins/door.mjs → plugins/door.mjs with other code']);

  const rules = (text: string) => doored(importing, { 'plugins/rules/all.mjs': `export default ${text};` });
  t.strictSame((await planOf(t, { before: rules('1'), after: rules('2') })).codes, ['plugin_changed'], 'imported');
  const data = (text: string) =>
    doored(`${door('declared')} const path = new URL('./rules/', import.meta.url);`, { 'plugins/rules/a.txt': text });
  t.strictSame((await planOf(t, { before: data('1'), after: data('2') })).codes, ['plugin_changed'], 'read');

  const moved = { ...before, 'gateway.yaml': gatewayFile({ plugins: ['./other.mjs'] }), 'other.mjs': door('anyone') };
  t.match((await planOf(t, { before, after: moved })).codes, ['plugin_changed', 'auth_none'], 'by another file');

  const same = await planOf(t, { before: rules('1'), after: rules('1') });
  t.strictSame([same.codes, same.details], [[], []], 'the same code in another folder');
});

t.test('plan names a changed run plugin without counting it as widened access', async (t) => {
  const agent = (answer: string) => ({
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ plugins: ['./agent.mjs'] }),
    'agent.mjs': `export default { contract: 'v1', stage: 'run', name: 'agent', summary: 'Answers.',
      optionsSchema: { type: 'object' }, create: () => ({ execute: () => ({ kind: 'succeeded', output: '${answer}' }) }) };`,
    'ask.yaml': triggerFile('ask', { run: { uses: 'agent' } }),
  });
  t.strictSame((await planOf(t, { before: agent('yes'), after: agent('no') })).codes, ['(plugin_changed)']);
});

t.test('plan warns of a key file, a program, a schema and the file of a secret with other content', async (t) => {
  const jwt = {
    uses: 'jwt',
    with: { publicKey: { file: 'keys/idp.pem' }, issuer: 'i', audience: 'a', projects: ['support'] },
  };
  const argv = ['node', './agents/agent.mjs', '--schema=agents/order.json'];
  const files = (content: { key?: string; agent?: string; tool?: string; schema?: string; token?: string } = {}) => ({
    ...basicFiles(),
    'gateway.yaml': gatewayFile({ admin: { port: 0, token: { file: 'keys/admin.txt' } } }),
    'ask.yaml': triggerFile('ask', { auth: jwt, run: { uses: 'command', with: { argv } } }),
    'keys/idp.pem': content.key ?? keyOne,
    'keys/admin.txt': content.token ?? 'one',
    'agents/agent.mjs': content.agent ?? "import './tool.mjs';",
    'agents/tool.mjs': content.tool ?? '',
    'agents/order.json': content.schema ?? '{}',
  });
  const cases = [
    [
      { key: publicKey() },
      ['file_changed'],
      'support/ask auth: jwt publicKey: file keys/idp.pem → file keys/idp.pem with other content',
    ],
    [
      { token: 'canary' },
      ['file_changed'],
      'acme admin token: file keys/admin.txt → file keys/admin.txt with other content',
    ],
    [{ agent: '// canary' }, ['(file_changed)'], /^support\/ask run: command argv: file \.\/agents\/agent\.mjs → /],
    [{ tool: '// canary' }, ['(file_changed)'], /^support\/ask run: command argv: file \.\/agents\/agent\.mjs → /],
    [
      { schema: '"canary"' },
      ['(file_changed)'],
      /^support\/ask run: command argv: file --schema=agents\/order\.json → /,
    ],
  ] as const;
  for (const [content, codes, detail] of cases) {
    const [name = ''] = Object.keys(content);
    const found = await planOf(t, { before: files(), after: files(content) });
    t.strictSame(found.codes, codes, name);
    t.match(found.details, [detail], name);
    t.notMatch(found.print('text'), /canary|PUBLIC KEY|[0-9a-f]{12}/, 'neither content nor a hash of it is shown');
  }
  const { codes, details } = await planOf(t, { before: files(), after: files() });
  t.strictSame([codes, details], [[], []]);
});

t.test('plan --fail-on widened-access fails for a replaced key file, and not for another agent', async (t) => {
  const files = { ...doored(door('declared')), 'agent.mjs': '1' };
  const run = { uses: 'command', with: { argv: ['node', './agent.mjs'] } };
  const base = { ...files, 'ask.yaml': triggerFile('ask', { auth: { uses: 'door' }, run }) };
  const [before, opened, other] = [
    await configFolder(t, base),
    await configFolder(t, { ...base, 'plugins/door.mjs': door('anyone') }),
    await configFolder(t, { ...base, 'agent.mjs': '2' }),
  ];
  const plan = (head: string) =>
    command(t, ['plan', '--base', before, '--config', head, '--fail-on', 'widened-access']);
  t.match(await plan(opened), { code: 1, stderr: /access is widened/ });
  t.match(await plan(other), { code: 0, stdout: /the file \.\/agent\.mjs has other content in run command/ });
});

t.test('the digest of a program ignores the folder that it is in, whatever the names', async (t) => {
  for (const folder of ['x', '..x']) {
    const program = `${folder}/agent.mjs`;
    const files = { [program]: "import '../.';", 'other.txt': '1' };
    const [one, other] = [await configFolder(t, files), await configFolder(t, { ...files, 'other.txt': '2' })];
    t.equal(await digestProgram(join(one, program)), await digestProgram(join(other, program)), folder);
  }
  const beside = (text: string) => configFolder(t, { 'x/agent.mjs': "import '../..y/';", '..y/rule.mjs': text });
  const [one, other] = [await beside('1'), await beside('2')];
  t.not(await digestProgram(join(one, 'x/agent.mjs')), await digestProgram(join(other, 'x/agent.mjs')), 'beside it');
});
