import type { Test } from 'tap';
import {
  type Exchange,
  type JsonObject,
  type MaybePromise,
  type PluginContext,
  type RequestHead,
  WorkBudget,
} from '../../src/contract/index.ts';
import { runClosers } from '../../src/host/instance-pool.ts';
import { createOutboundClient } from '../../src/host/outbound/client.ts';
import { OutboundGuard } from '../../src/host/outbound/guard.ts';
import { parseOutboundTarget } from '../../src/schema/outbound-target.ts';

/** A request head that came at time 1000, with the given headers. */
export function requestHead(headers: RequestHead['headers'] = {}): RequestHead {
  return {
    requestId: 'request-1',
    receivedAt: 1000,
    method: 'POST',
    path: '/api/v1.0/project/support/trigger/refund',
    query: '',
    headers,
    ip: '127.0.0.1',
  };
}

/** An exchange with this body; a string is taken as the body's text. */
export function exchangeOf(body: JsonObject | string | undefined, changes: Partial<Exchange> = {}): Exchange {
  const bodyText = typeof body === 'object' ? JSON.stringify(body) : body;
  return {
    ...requestHead(),
    project: { id: 'support', name: 'Support', language: 'en' },
    trigger: { key: 'refund', name: 'Refund' },
    caller: { id: 'website', permissions: new Set(['project.trigger']), projects: 'all' },
    bodyText,
    input: { environment: 'api', language: 'en', ...(bodyText === undefined ? {} : JSON.parse(bodyText)) },
    work: new WorkBudget(),
    ...changes,
  };
}

/** The context of a plugin that needs nothing of its host. */
export const pluginContext: PluginContext = {
  log: { info() {}, warn() {}, error() {} },
  onClose() {},
  report() {},
  resolvePath: (path) => path,
  outbound() {
    throw new Error('this plugin calls nobody');
  },
};

/**
 * The context of a plugin that may call what is on this machine, and what closes its instance as the host does, which the
 * end of the test does too.
 */
export function callingContext(t: Test): { readonly context: PluginContext; close(): Promise<void> } {
  const closers: (() => MaybePromise<void>)[] = [];
  const onClose: PluginContext['onClose'] = (closer) => void closers.push(closer);
  const close = () =>
    runClosers(closers.splice(0), (error) => {
      throw error;
    });
  t.teardown(close);
  return { context: { ...pluginContext, onClose, outbound: outboundWith(onClose) }, close };
}

/** Makes what gives plugins their clients, as a gateway would whose `outbound.allow` names this machine. */
export function outboundWith(onClose: PluginContext['onClose']): PluginContext['outbound'] {
  const targets = ['127.0.0.0/8', '::1'].flatMap((entry) => parseOutboundTarget(entry) ?? []);
  return (options) => {
    const client = createOutboundClient(new OutboundGuard(() => targets), options);
    onClose(() => client.close());
    return client;
  };
}
