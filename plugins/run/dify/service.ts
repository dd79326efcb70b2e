import type { OutboundClient, PluginContext } from '../../../src/contract/index.ts';
import { targetUrl } from '../target-url.ts';
import type { Options } from './options.gen.ts';

/** The service API of Dify, as one app is reached by it. */
export interface Service {
  readonly client: OutboundClient;
  readonly headers: Readonly<Record<string, string>>;
  /** The address of what is at a path. */
  at(path: string): URL;
}

export function createService(context: PluginContext, options: Options): Service {
  const { apiKey, connections, maxResponse: maxResponseBytes } = options;
  const client = context.outbound({ connections, maxResponseBytes });
  const base = targetUrl(context, client, '/url', options.url).href.replace(/\/+$/, '');
  return {
    client,
    headers: {
      authorization: `Bearer ${apiKey}`,
      'content-type': 'application/json',
      accept: 'text/event-stream, application/json;q=0.9',
      'accept-encoding': 'identity',
      'user-agent': 'pullcord',
    },
    at: (path) => new URL(`${base}/${path}`),
  };
}
