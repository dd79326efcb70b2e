import t from 'tap';
import dify from '../../../plugins/run/dify/index.ts';
import type { Options } from '../../../plugins/run/dify/options.gen.ts';
import { OptionsError } from '../../../src/contract/index.ts';
import { faultsOf } from '../../support/run-plugin.ts';
import { pluginFor } from './support.ts';

t.test('warns of an address that is not called', async (t) => {
  t.strictSame(pluginFor(t, 'http://127.0.0.1/v1').warnings, []);
  t.match(pluginFor(t, 'http://10.0.0.1/v1').warnings, [/not a public address/]);
});

t.test('options', async (t) => {
  const refusalOf = (changes: Partial<Options>) => {
    try {
      pluginFor(t, 'http://127.0.0.1/v1', changes);
    } catch (error) {
      if (OptionsError.is(error)) return error;
      throw error;
    }
    return undefined;
  };

  t.test('refuses a URL that no path can be appended to', async (t) => {
    for (const url of [
      'dify',
      'ftp://host/v1',
      'https://me:s3cret@host/v1',
      'https://host/v1?x=1',
      'https://host/v1#x',
    ]) {
      const refusal = refusalOf({ url });
      t.match(refusal?.problems, [{ pointer: '/url' }], url);
      t.notMatch(refusal?.message, /s3cret/);
    }
  });

  t.test('refuses inputs that are never an object, and accepts constant ones without a warning', async (t) => {
    t.match(refusalOf({ inputs: '[1]' })?.problems, [{ pointer: '/inputs', message: /must return an object/ }]);
    const changes = { inputs: "{ 'a': 1 }", user: "{{ 'web' }}", output: 'true' };
    t.strictSame(pluginFor(t, 'http://127.0.0.1/v1', changes).warnings, []);
  });

  t.test('refuses an API key of two lines, without repeating it', async (t) => {
    const refusal = refusalOf({ apiKey: 'app-s3cret\nx' });
    t.match(refusal?.problems, [{ pointer: '/apiKey' }]);
    t.notMatch(refusal?.message, /s3cret/);
  });

  t.test('refuses expressions that do not parse, a query for a workflow, and limits of zero', async (t) => {
    t.match(refusalOf({ query: '{{ ( }}' })?.problems, [{ pointer: '/query' }]);
    t.match(refusalOf({ inputs: '(' })?.problems, [{ pointer: '/inputs' }]);
    t.match(refusalOf({ user: '{{ ' })?.problems, [{ pointer: '/user' }]);
    t.match(refusalOf({ output: 'a b' })?.problems, [{ pointer: '/output' }]);
    t.match(refusalOf({ app: 'workflow', query: 'x' })?.problems, [{ pointer: '/query' }]);
    const apiKey = { env: 'DIFY_KEY_OF_THE_TESTS' };
    t.strictSame(faultsOf(dify, { apiKey, timeout: '0s' }), ['/timeout']);
    t.strictSame(faultsOf(dify, { apiKey, maxResponse: '0B' }), ['/maxResponse']);
    t.strictSame(faultsOf(dify, { apiKey, timeout: '1ms', maxResponse: '1B' }), []);
  });
});
