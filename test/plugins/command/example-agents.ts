import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import t from 'tap';
import { node, pluginFor, run } from './support.ts';

t.test('the example agents', async (t) => {
  const agents = resolve(import.meta.dirname, '../../../config/agents');

  t.test('concierge answers what it knows and hands over the rest', async (t) => {
    const { execute } = await pluginFor(t, [node, resolve(agents, 'concierge.mjs')], { output: 'json' });
    const ask = (instruction: string, more = {}) => execute(undefined, { ...run.input, instruction, ...more });
    t.match(await ask('please refund order 7', { customer: { name: 'Ada', plan: 'pro' } }), {
      output: {
        intent: 'refund',
        order: '7',
        priority: 'high',
        needsHuman: false,
        reply: /^Ada: We will refund order 7/,
      },
    });
    t.match(await ask('I want my money back'), { output: { intent: 'refund', reply: /Which order/ } });
    t.match(await ask('Wann ist geöffnet?', { language: 'de' }), {
      output: { intent: 'opening_hours', reply: /9 bis 17/ },
    });
    t.match(await ask('my screen is blue', { language: 'fr' }), { output: { intent: 'handover', needsHuman: true } });
  });

  t.test('shop-chat streams Markdown', async (t) => {
    const options = { output: 'text', stream: true, env: { WORD_MS: '0' } } as const;
    const { driven } = await pluginFor(t, [node, resolve(agents, 'shop-chat.mjs')], options);
    const ask = async (instruction: string) => {
      const { result, deltas } = await driven(undefined, { ...run.input, instruction });
      t.match(result, { kind: 'succeeded', output: deltas.join('') });
      return deltas.join('');
    };
    t.match(await ask('When are you open?'), /\*\*Monday to Friday/);
    t.match(await ask('I want my money back'), /Which order/);
    t.match(await ask('order 7'), /Order \*\*7\*\* will be refunded/);
    t.match(await ask('Where is my order?'), /2 to 3 days/);
    t.match(await ask('my screen is blue'), /beyond me/);
  });

  t.test('release-notes answers on HTTP and ends in order on SIGTERM', async (t) => {
    const agent = spawn(node, [resolve(agents, 'release-notes.mjs')], { env: { PORT: '0' } });
    t.teardown(() => agent.kill('SIGKILL'));
    const [line] = await once(agent.stdout, 'data');
    const url = String(line).match(/http:\S+/)?.[0] ?? '';
    const post = (body: unknown) => fetch(url, { method: 'POST', body: JSON.stringify(body) });
    const commits = ['feat(cart): vouchers\n\nAt last.', 'fix: rounding', 'feat!: no more v1', 'tidy up'];
    const response = await post({
      repository: { full_name: 'acme/shop' },
      commits: commits.map((message) => ({ message })),
    });
    t.equal(response.headers.get('content-type'), 'application/json');
    t.same(await response.json(), {
      notes: [
        '# Release notes of acme/shop',
        ...['', '## Breaking changes', '', '- no more v1'],
        ...['', '## New', '', '- vouchers'],
        ...['', '## Fixed', '', '- rounding'],
        ...['', '## Also', '', '- tidy up\n'],
      ].join('\n'),
    });
    t.equal((await post({ commits: 'none' })).status, 400);
    t.equal((await fetch(url)).status, 405);
    agent.kill('SIGTERM');
    t.same(await once(agent, 'exit'), [0, null]);
  });
});
