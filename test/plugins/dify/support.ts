import type { Test } from 'tap';
import dify from '../../../plugins/run/dify/index.ts';
import type { Options } from '../../../plugins/run/dify/options.gen.ts';
import type { JsonValue, RunRequest, Session } from '../../../src/contract/index.ts';
import { callingContext } from '../../support/exchange.ts';
import { drive, inOwnSession, runRequest } from '../../support/run-plugin.ts';

process.env.DIFY_KEY_OF_THE_TESTS = 'app-agent';

export const run = runRequest({
  trigger: 'ask',
  input: { environment: 'api', language: 'en', instruction: 'refund order 7 – süß', order: { id: 7 } },
});

/** The default user for Dify. */
export function userOf(sessionId: string) {
  return inOwnSession({ ...run, sessionId }).conversation;
}

export function sessionWith(memory: JsonValue | undefined): Session {
  return { memory, remember() {} };
}

export function pluginFor(t: Test, url: string, changes: Partial<Options> = {}) {
  const warnings: string[] = [];
  const { context } = callingContext(t);
  const report = ({ message }: { message: string }) => void warnings.push(message);
  const options: Options = { ...usable, url, ...changes };
  const plugin = dify.create({ ...context, report }, options);
  return {
    warnings,
    execute: (changes: Partial<RunRequest> = {}, signal?: AbortSignal, onDelta = () => {}) =>
      drive(plugin, inOwnSession({ ...run, ...changes }), { signal, onDelta }),
  };
}

export const usable: Options = {
  ...{ url: 'http://127.0.0.1/v1', apiKey: 'app-chat', app: 'chat' },
  ...{ timeout: 20_000, maxResponse: 2 ** 20, connections: 8 },
};
