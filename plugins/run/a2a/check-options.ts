import {
  OptionsError,
  type OptionsProblem,
  type OutboundClient,
  type PluginContext,
} from '../../../src/contract/index.ts';
import { faultsOfHeaders } from '../header-options.ts';
import { targetUrl } from '../target-url.ts';
import type { Options } from './options.gen.ts';

/** Where an agent is, as its options say. */
export interface Addresses {
  readonly card: URL;
  /** Where it takes messages; undefined: where its card says, if that has the origin of `url`. */
  readonly endpoint: URL | undefined;
}

const cardPath = '.well-known/agent-card.json';

/** What the protocol says in a request. */
const reserved = new Set(['a2a-version', 'accept']);

/** Refuses what the schema cannot. */
export function checkOptions(context: PluginContext, client: OutboundClient, options: Options): Addresses {
  const problems: OptionsProblem[] = [];
  const read = (pointer: string, text: string): URL | undefined => {
    try {
      return targetUrl(context, client, pointer, text);
    } catch (error) {
      if (!OptionsError.is(error)) throw error;
      problems.push(...error.problems);
      return undefined;
    }
  };
  const url = read('/url', options.url);
  const endpoint = options.endpoint === undefined ? undefined : read('/endpoint', options.endpoint);
  problems.push(...faultsOfHeaders(options.headers), ...faultsOfProtocolHeaders(options.headers));
  if (options.timeout === 0) problems.push({ pointer: '/timeout', message: 'must be longer than nothing' });
  const card = url && cardOf(url, options.card);
  if (url !== undefined && card?.origin !== url.origin) {
    const hint = 'Write the path alone, or all of it as url.';
    problems.push({ pointer: '/card', message: 'leads away from the origin of url', hint });
  }
  if (card === undefined || problems.length > 0) throw new OptionsError(problems);
  return { card, endpoint };
}

function cardOf(url: URL, path: string | undefined): URL | undefined {
  const isCard = url.pathname.endsWith('.json');
  if (path === undefined && isCard) return url;
  const base = new URL(url);
  if (!isCard && !base.pathname.endsWith('/')) base.pathname += '/';
  const relative = path ?? cardPath;
  return URL.canParse(relative, base.href) ? new URL(relative, base.href) : undefined;
}

function faultsOfProtocolHeaders(headers: Options['headers']): OptionsProblem[] {
  const names = Object.keys(headers).filter((name) => reserved.has(name.toLowerCase()));
  return names.map((name) => ({ pointer: `/headers/${name}`, message: 'is a header that the gateway itself sets' }));
}
