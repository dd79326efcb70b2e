import type { OpenAI } from 'openai';
import type { OutboundClient } from '../../../src/contract/index.ts';
import { namedInLowerCase } from '../header-options.ts';
import { longestTimerMs } from '../longest-timer.ts';
import type { Options } from './options.gen.ts';
import { plainRefusal } from './refusal-body.ts';

/** Makes the client of the endpoint: it tries once, and says to nobody but its caller what came of it. */
export async function createClient(outbound: OutboundClient, options: Options): Promise<OpenAI> {
  // It takes a tenth of a second to load, which a gateway without such an agent should not.
  const { OpenAI } = await import('openai');
  const headers = fixedHeaders(options);
  return new OpenAI({
    baseURL: options.baseUrl,
    // The client insists on one. What is sent is decided below.
    apiKey: 'none',
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: Math.min(options.timeout, longestTimerMs),
    logLevel: 'off',
    // The client takes headers also from the environment, and tells of the machine: only what YAML declares is sent.
    async fetch(url, init) {
      const response = await outbound.fetch(url, { ...init, headers: { ...framing(init?.headers), ...headers } });
      return response.ok ? response : plainRefusal(response);
    },
  });
}

function fixedHeaders({ apiKey, headers }: Options): Readonly<Record<string, string>> {
  return {
    'user-agent': 'pullcord',
    ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    ...namedInLowerCase(headers),
  };
}

/** The headers that say what the bodies are. */
function framing(headers: RequestInit['headers']): Readonly<Record<string, string>> {
  const all = new Headers(headers);
  return Object.fromEntries([...all].filter(([name]) => name === 'accept' || name === 'content-type'));
}
