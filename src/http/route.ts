import { isAscii } from 'node:buffer';

/** What an address of the public listener means. Names are as the caller wrote them. */
export type Route =
  | { readonly kind: 'trigger'; readonly projectId: string; readonly key: string }
  | RunRoute<'run'>
  | RunRoute<'completion'>;

export interface RunRoute<Kind extends 'run' | 'completion'> {
  readonly kind: Kind;
  readonly projectId: string;
  readonly key: string;
  readonly runId: string;
}

const address = /^\/project\/([^/]+)\/trigger\/([^/]+)(?:\/run\/([^/]+)(\/completion)?)?$/;

/**
 * Reads `{basePath}/project/:projectId/trigger/:key[/run/:runId[/completion]]`, undefined for any other path.
 * @param path the request target without its query
 */
export function parseRoute(path: string, basePath: string): Route | undefined {
  if (!path.startsWith(basePath)) return undefined;
  const match = address.exec(path.slice(basePath.length));
  if (match === null) return undefined;
  const projectId = decode(match[1]);
  const key = decode(match[2]);
  if (projectId === undefined || key === undefined) return undefined;
  if (match[3] === undefined) return { kind: 'trigger', projectId, key };
  const runId = decode(match[3]);
  return runId === undefined
    ? undefined
    : { kind: match[4] === undefined ? 'run' : 'completion', projectId, key, runId };
}

/** Names are ASCII. What else might be taken for one, as the Kelvin sign in lower case is a `k`, names nothing. */
function decode(part: string | undefined): string | undefined {
  if (part === undefined || !part.includes('%')) return part;
  try {
    const decoded = decodeURIComponent(part);
    return isAscii(Buffer.from(decoded)) ? decoded : '';
  } catch {
    return undefined;
  }
}
