import type { Log } from '../log.ts';
import type { Site } from './site.ts';

/** What `--site` names. */
export interface Pages {
  readonly root: string;
  readonly port: number;
}

/** Serves the pages beside a gateway. Undefined, after a warning, if their port cannot be used. */
export async function serveSite(
  log: Log,
  gateway: { readonly host: string; readonly port: number },
  pages: Pages,
): Promise<Site | undefined> {
  const { startSite } = await import('./site.ts');
  const site = await startSite({ ...pages, gateway, log });
  if (site !== undefined) log.info({ url: site.url }, 'serving the site');
  return site;
}
