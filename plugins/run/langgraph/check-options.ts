import {
  OptionsError,
  type OptionsProblem,
  type OutboundClient,
  type PluginContext,
} from '../../../src/contract/index.ts';
import { faultsOfHeaders, namedInLowerCase } from '../header-options.ts';
import { targetUrl } from '../target-url.ts';
import type { Options } from './options.gen.ts';

export interface CheckedOptions {
  /** Without a slash at its end. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Refuses options that no request could be made of. */
export function checkOptions(context: PluginContext, client: OutboundClient, options: Options): CheckedOptions {
  const { apiKey, headers } = options;
  const problems: OptionsProblem[] = faultsOfHeaders(headers);
  const url = checkUrl(context, client, options.url, problems);
  const named = namedInLowerCase(headers);
  if (apiKey !== undefined) {
    if (Object.hasOwn(named, 'x-api-key')) {
      problems.push({ pointer: '/apiKey', message: 'is given twice: `headers` has an x-api-key' });
    }
    const [unfit] = faultsOfHeaders({ 'x-api-key': apiKey });
    if (unfit !== undefined) problems.push({ pointer: '/apiKey', message: unfit.message });
  }
  if (url === undefined || problems.length > 0) throw new OptionsError(problems);
  return {
    url: url.href.replace(/\/+$/, ''),
    headers: {
      accept: 'application/json, text/event-stream',
      'user-agent': 'pullcord',
      ...named,
      ...(apiKey !== undefined && { 'x-api-key': apiKey }),
      'content-type': 'application/json',
      'accept-encoding': 'identity',
    },
  };
}

function checkUrl(
  context: PluginContext,
  client: OutboundClient,
  text: string,
  problems: OptionsProblem[],
): URL | undefined {
  try {
    const url = targetUrl(context, client, '/url', text);
    if (url.search === '' && url.hash === '') return url;
    const hint = 'It is what /threads and /runs are appended to.';
    problems.push({ pointer: '/url', message: 'must end with its path', hint });
  } catch (error) {
    if (!OptionsError.is(error)) throw error;
    problems.push(...error.problems);
  }
  return undefined;
}
