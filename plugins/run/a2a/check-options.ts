import { OptionsError, type OptionsProblem } from '../../../src/contract/index.ts';
import { optionProblems } from '../../../src/run-kit/index.ts';
import type { Options } from './options.gen.ts';

/** Where an agent is, according to its options. */
export interface Addresses {
  readonly card: URL;
  /** Where it receives messages; undefined: where its card says, if that has the origin of `url`. */
  readonly endpoint: URL | undefined;
}

const cardPath = '.well-known/agent-card.json';

/** Throws an OptionsError for what the schema cannot refuse. */
export function checkOptions({ url, card, endpoint, headers }: Options): Addresses {
  const problems: OptionsProblem[] = optionProblems({
    urls: { '/url': url, '/endpoint': endpoint },
    headers,
    reserved: /^(?:a2a-version|accept)$/,
  });
  if (problems.length > 0) throw new OptionsError(problems);
  const cardUrl = cardOf(new URL(url), card);
  if (cardUrl?.origin !== new URL(url).origin) {
    const hint = 'Write its path only, or the whole URL as url.';
    throw new OptionsError([{ pointer: '/card', message: 'has another origin than url', hint }]);
  }
  return { card: cardUrl, endpoint: endpoint === undefined ? undefined : new URL(endpoint) };
}

function cardOf(url: URL, path: string | undefined): URL | undefined {
  const isCard = url.pathname.endsWith('.json');
  if (path === undefined && isCard) return url;
  const base = new URL(url);
  if (!isCard && !base.pathname.endsWith('/')) base.pathname += '/';
  const relative = path ?? cardPath;
  return URL.canParse(relative, base.href) ? new URL(relative, base.href) : undefined;
}
