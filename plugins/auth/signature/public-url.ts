import type { RequestHead } from '../../../src/contract/index.ts';

/** Returns what finds the URLs that a sender may have signed: it alone knows the URL that it called. */
export function publicUrls(publicUrl: string | undefined): (request: RequestHead) => readonly string[] {
  const configured = publicUrl === undefined ? undefined : variantsOf(publicUrl.replace(/\/$/, ''));
  return ({ headers, path, query }) => {
    const { host } = headers;
    const bases = configured ?? (isHost(host) ? variantsOf(`https://${host}`) : []);
    return bases.map((base) => base + path + (query === '' ? '' : `?${query}`));
  };
}

/** Some senders sign the port of the scheme, and others never sign a port. */
function variantsOf(base: string): readonly string[] {
  const [, scheme = '', host = '', port, rest = ''] = /^(https?):\/\/([^/:[]+|\[[^\]]*\])(:\d+)?(.*)$/.exec(base) ?? [];
  const other = port === undefined ? `:${scheme === 'http' ? 80 : 443}` : '';
  return [base, `${scheme}://${host}${other}${rest}`];
}

function isHost(host: unknown): host is string {
  return typeof host === 'string' && /^(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d+)?$/.test(host);
}
