import type { OutboundOptions } from '../../contract/index.ts';
import type { ClosableClient } from './client.ts';
import type { OutboundGuard } from './guard.ts';

/**
 * Creates a client that is loaded on its first call: loading undici takes longer than most commands, and those that only
 * check a config or do a dry run call nobody. A gateway loads it before it starts to serve.
 */
export function createLazyClient(guard: OutboundGuard, options: OutboundOptions): ClosableClient {
  let made: Promise<ClosableClient> | undefined;
  const client = () => {
    made ??= import('./client.ts').then(({ createOutboundClient }) => createOutboundClient(guard, options));
    return made;
  };
  return {
    request: async (url, request) => (await client()).request(url, request),
    fetch: async (input, init) => (await client()).fetch(input, init),
    forbids: (url) => guard.forbids(url),
    close: async () => (await made)?.close(),
  };
}
