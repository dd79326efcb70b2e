import { hash } from 'node:crypto';
import t from 'tap';
import { basicFiles, gatewayFile, keyFile, projectFile, triggerFile } from '../support/config-folder.ts';
import { planOf } from '../support/plan.ts';

type Files = Record<string, string>;
const files = (more: Files): Files => ({ ...basicFiles(), ...more });
const secret = (text: string, more: object = {}) => ({ hash: `sha256:${hash('sha256', text)}`, ...more });
const website = (...secrets: object[]) => files({ 'keys/website.yaml': keyFile('website', { secrets }) });
const jsonata = (expression: string, options: object = {}) => ({
  name: 'paying',
  uses: 'jsonata',
  with: { expression, ...options },
});
const ask = (...filter: object[]) => files({ 'ask.yaml': triggerFile('ask', { filter }) });
const server = (trustProxy: unknown) => files({ 'gateway.yaml': gatewayFile({ server: { trustProxy } }) });

const recording = (policy: object) => files({ 'ask.yaml': triggerFile('ask', { recording: policy }) });
const gatewayRecording = (policy: object) =>
  files({ 'gateway.yaml': gatewayFile({ recording: policy }), 'ask.yaml': triggerFile('ask') });
const bound = (bindings: object) => files({ 'ask.yaml': triggerFile('ask', { run: { uses: 'echo', bindings } }) });

const token = (id: string, role: string, more: object = {}) => ({ id, role, ...secret(`token ${id}`), ...more });
const admin = (...tokens: object[]) => files({ 'gateway.yaml': gatewayFile({ admin: { port: 0, tokens } }) });

interface Opening {
  readonly before: Files;
  readonly opens: Files;
  readonly codes: readonly string[];
  /** A change of the same kind that opens nothing. */
  readonly closes: Files;
}

const pays = 'customer.plan = "pro"';
const openings: Readonly<Record<string, Opening>> = {
  'another hash in an existing key': {
    before: website(secret('a')),
    opens: website(secret('a'), secret('b')),
    codes: ['secret_added'],
    closes: website(secret('a'), secret('b', { expires: '1969-12-31' })),
  },
  'a replaced hash': {
    before: website(secret('a'), secret('b')),
    opens: website(secret('b'), secret('c')),
    codes: ['secret_added'],
    closes: website(secret('b')),
  },
  'a filter that became true': {
    before: ask(jsonata(pays)),
    opens: ask(jsonata('true')),
    codes: ['filter_always_passes'],
    closes: ask(jsonata('false')),
  },
  'a filter that is true in other words': {
    before: ask(jsonata(pays)),
    opens: ask(jsonata('$exists(customer) or $not($exists(customer))')),
    codes: ['filter_widened'],
    closes: ask(jsonata(`${pays} and customer.id = "c1"`)),
  },
  'a filter that became wider': {
    before: ask(jsonata('order.total > 100')),
    opens: ask(jsonata('order.total > 10')),
    codes: ['filter_widened'],
    closes: ask(jsonata('order.total > 1000')),
  },
  'a schema that constrains nothing': {
    before: ask({ name: 'paying', uses: 'json-schema', with: { schema: { required: ['customer'] } } }),
    opens: ask({ name: 'paying', uses: 'json-schema', with: { schema: { title: 'anything', type: 'object' } } }),
    codes: ['filter_always_passes'],
    closes: ask({ name: 'paying', uses: 'json-schema', with: { schema: { required: ['customer', 'order'] } } }),
  },
  'another plugin under the same name of a filter': {
    before: ask(jsonata(pays)),
    opens: ask({ name: 'paying', uses: 'json-schema', with: { schema: true } }),
    codes: ['filter_always_passes'],
    closes: ask({ name: 'paying', uses: 'json-schema', with: { schema: false } }),
  },
  'onError: pass': {
    before: ask(jsonata('$number(order.total) > 100')),
    opens: ask(jsonata('$number(order.total) > 100', { onError: 'pass' })),
    codes: ['filter_widened', 'filter_fails_open'],
    closes: ask(jsonata('$number(order.total) > 100', { onError: 'drop', maxDepth: 400 })),
  },
  'two filters of which one takes the name of the other': {
    before: ask({ ...jsonata(pays), name: 'first' }, { ...jsonata('order.total > 1'), name: 'second' }),
    opens: ask({ ...jsonata(pays), name: 'second' }),
    codes: ['filter_widened', 'filter_removed'],
    closes: ask({ ...jsonata(pays), name: 'other' }, { ...jsonata('order.total > 1'), name: 'second' }),
  },
  'trustProxy: every address': {
    before: server(['10.0.0.0/8']),
    opens: server(['10.0.0.0/8', '0.0.0.0/0']),
    codes: ['proxies_trusted'],
    closes: server(['10.1.0.0/16']),
  },
  'trustProxy: every address in two halves': {
    before: server('loopback'),
    opens: server(['0.0.0.0/1', '128.0.0.0/1']),
    codes: ['proxies_trusted'],
    closes: server('127.0.0.1'),
  },
  'trustProxy: another network': {
    before: server(['10.0.0.0/8']),
    opens: server(['10.0.0.0/8', '192.168.1.0/24']),
    codes: ['proxies_added'],
    closes: server(false),
  },
  'outbound: another network': {
    before: files({ 'gateway.yaml': gatewayFile({ outbound: { allow: ['10.0.0.0/8'] } }) }),
    opens: files({ 'gateway.yaml': gatewayFile({ outbound: { allow: ['10.0.0.0/7'] } }) }),
    codes: ['outbound_widened'],
    closes: files({ 'gateway.yaml': gatewayFile({ outbound: { allow: ['10.1.0.0/16'] } }) }),
  },
  'another token of the admin listener': {
    before: files({ 'gateway.yaml': gatewayFile({ admin: { port: 0, token: { env: 'ONE' } } }) }),
    opens: files({ 'gateway.yaml': gatewayFile({ admin: { port: 0, token: { env: 'OTHER' } } }) }),
    codes: ['admin_token_changed'],
    closes: files({ 'gateway.yaml': gatewayFile({ admin: { port: 0, host: '127.0.0.1', token: { env: 'ONE' } } }) }),
  },
  'a token of the admin listener': {
    before: admin(token('a', 'read')),
    opens: admin(token('a', 'read'), token('b', 'operate')),
    codes: ['admin_token_added'],
    closes: admin(token('a', 'read'), token('b', 'operate', { expires: '1969-12-31' })),
  },
  'an admin token that may do more, and for longer': {
    before: admin(token('a', 'read', { expires: '2998-01-01' })),
    opens: admin(token('a', 'operate', { expires: '2999-01-01' })),
    codes: ['admin_role_raised', 'admin_expiry_extended'],
    closes: admin(token('a', 'read', { expires: '2997-01-01' })),
  },
  'an admin token in place of another': {
    before: admin(token('a', 'read')),
    opens: admin({ ...token('a', 'read'), hash: token('b', 'read').hash }),
    codes: ['admin_token_changed'],
    closes: admin({ ...token('a', 'read'), note: 'the same' }),
  },
  'an admin listener that needs no token any more': {
    before: admin(token('a', 'read')),
    opens: admin(),
    codes: ['admin_token_removed'],
    closes: admin(token('a', 'read', { expires: '2999-01-01' })),
  },
  'another name of the admin listener': {
    before: files({ 'gateway.yaml': gatewayFile({ admin: { port: 0, hosts: ['a.internal'] } }) }),
    opens: files({ 'gateway.yaml': gatewayFile({ admin: { port: 0, hosts: ['a.internal', 'b.internal'] } }) }),
    codes: ['admin_hosts_added'],
    closes: files({ 'gateway.yaml': gatewayFile({ admin: { port: 0 } }) }),
  },
  'a trigger whose new key drops its filters': {
    before: ask(jsonata(pays)),
    opens: files({ 'ask.yaml': triggerFile('question') }),
    codes: ['filters_gone'],
    closes: files({ 'ask.yaml': triggerFile('question', { filter: [jsonata(pays)] }) }),
  },
  'a trigger whose new file and key drop its filters': {
    before: ask(jsonata(pays)),
    opens: files({ 'question.yaml': triggerFile('question') }),
    codes: ['filters_gone'],
    closes: files({ 'question.yaml': triggerFile('question', { filter: [jsonata(pays)] }) }),
  },
  'a trigger whose new project drops its filters': {
    before: ask(jsonata(pays)),
    opens: files({ 'ask.yaml': triggerFile('ask', { project: 'help' }), 'help.yaml': projectFile('help') }),
    codes: ['filters_gone'],
    closes: files({
      'ask.yaml': triggerFile('ask', { project: 'help', filter: [jsonata(pays)] }),
      'help.yaml': projectFile('help'),
    }),
  },
  'a trigger that stores more': {
    before: files({ 'ask.yaml': triggerFile('ask', { record: { keep: 'metadata' } }) }),
    opens: files({ 'ask.yaml': triggerFile('ask', { record: { keep: 'full' } }) }),
    codes: ['record_widened'],
    closes: files({ 'ask.yaml': triggerFile('ask', { record: { keep: 'none' } }) }),
  },
  'recorded requests': {
    before: ask(),
    opens: recording({ rate: 0.1 }),
    codes: ['recording_widened'],
    closes: recording({ rate: 0 }),
  },
  'a higher rate of recorded requests': {
    before: recording({ rate: 0.1 }),
    opens: recording({ rate: 0.2 }),
    codes: ['recording_widened'],
    closes: recording({ rate: 0.05 }),
  },
  'more recorded requests, which are kept longer': {
    before: recording({ rate: 1, keep: { count: 10, age: '1d' } }),
    opens: recording({ rate: 1 }),
    codes: ['recording_widened', 'recording_widened'],
    closes: recording({ rate: 1, keep: { count: 9, age: '1h' } }),
  },
  'wider bounds of recorded requests in the gateway': {
    before: gatewayRecording({ rate: 1, keep: { count: 10, age: '1d', size: '2MiB' } }),
    opens: gatewayRecording({ rate: 1, keep: { count: 10, age: '2d', size: '2MiB' } }),
    codes: ['recording_widened'],
    closes: gatewayRecording({ rate: 1, keep: { count: 9, age: '1h', size: '1MiB' } }),
  },
  'headers and claims that are stored with each run': {
    before: bound({ headers: ['x-a'], claims: ['plan'] }),
    opens: bound({ headers: ['x-a', 'x-b'], claims: ['plan', 'email'] }),
    codes: ['bindings_widened', 'bindings_widened'],
    closes: bound({ headers: ['x-a'], claims: [] }),
  },
  'a mask that covers less': {
    before: files({ 'ask.yaml': triggerFile('ask', { record: { mask: ['/customer'] } }) }),
    opens: files({ 'ask.yaml': triggerFile('ask', { record: { mask: ['/customer/email'] } }) }),
    codes: ['mask_removed'],
    closes: files({ 'ask.yaml': triggerFile('ask', { record: { mask: ['/customer', '/order'] } }) }),
  },
};

for (const [name, { before, opens, codes, closes }] of Object.entries(openings)) {
  t.test(`plan warns of ${name}, and not of the opposite`, async (t) => {
    t.strictSame((await planOf(t, { before, after: opens })).codes, codes);
    t.strictSame((await planOf(t, { before, after: closes })).codes, []);
  });
}

t.test('plan warns of a changed filter whose plugin says nothing of it', async (t) => {
  const plugin = `export default { contract: 'v1', stage: 'filter', name: 'mute', summary: 'Says nothing.',
    optionsSchema: { type: 'object' }, create: () => ({ evaluate: () => ({ kind: 'passed' }) }) };`;
  const mute = (value: number) => ({
    ...ask({ name: 'm', uses: 'mute', with: { value } }),
    'gateway.yaml': gatewayFile({ plugins: ['./mute.mjs'] }),
    'mute.mjs': plugin,
  });
  t.strictSame((await planOf(t, { before: mute(1), after: mute(2) })).codes, ['filter_unreviewed']);
  t.strictSame((await planOf(t, { before: mute(1), after: mute(1) })).codes, []);
});

t.test('plan names the trigger that a renamed one replaces', async (t) => {
  const { plan } = await planOf(t, {
    before: ask(jsonata(pays)),
    after: files({ 'ask.yaml': triggerFile('question') }),
  });
  t.match(plan.warnings, [{ message: /^trigger support\/question \(formerly support\/ask\) accepts every request/ }]);
});
