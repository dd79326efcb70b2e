import { isAscii } from 'node:buffer';

/** What an address of the public listener means. Names are as the caller wrote them. */
export type Route =
  | { readonly kind: 'trigger' | 'token'; readonly projectId: string; readonly key: string }
  | RunRoute<'run'>
  | RunRoute<'completion'>;

export interface RunRoute<Kind extends 'run' | 'completion'> {
  readonly kind: Kind;
  readonly projectId: string;
  readonly key: string;
  readonly runId: string;
}

const address = /^\/project\/([^/]+)\/trigger\/([^/]+)(?:\/run\/([^/]+)(\/completion)?|(\/token))?$/;

/**
 * Parses `{basePath}/project/:projectId/trigger/:key[/token|/run/:runId[/completion]]`. Returns undefined for any other path, and
 * `malformed` for one whose percent-encoding cannot be decoded.
 * @param path the request target without its query
 */
export function parseRoute(path: string, basePath: string): Route | 'malformed' | undefined {
  if (path.includes('%') && !isDecodable(path)) return 'malformed';
  if (!path.startsWith(basePath)) return undefined;
  const match = address.exec(path.slice(basePath.length));
  if (match === null) return undefined;
  const projectId = decode(match[1]);
  const key = decode(match[2]);
  if (match[3] === undefined) return { kind: match[5] === undefined ? 'trigger' : 'token', projectId, key };
  return { kind: match[4] === undefined ? 'run' : 'completion', projectId, key, runId: decode(match[3]) };
}

function isDecodable(path: string): boolean {
  try {
    decodeURI(path);
    return true;
  } catch {
    return false;
  }
}

/** Names are ASCII. Anything else could be mistaken for one: the Kelvin sign in lower case is a `k`. */
function decode(part = ''): string {
  if (!part.includes('%')) return part;
  const decoded = decodeURIComponent(part);
  return isAscii(Buffer.from(decoded)) ? decoded : '';
}
