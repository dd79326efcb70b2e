import { realpathSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { PluginLog } from '../../contract/index.ts';
import { readSiteFile, type SiteFolders } from './site-file.ts';
import { contentSecurityPolicy } from './site-policy.ts';

export interface SiteOptions {
  readonly root: string;
  /** Contains `chat/` and `client/`; by default those of this package, as they are installed. */
  readonly modules?: string;
  /** 0: any free one. */
  readonly port: number;
  /** Where the gateway listens: pages may connect to it. */
  readonly gateway: { readonly host: string; readonly port: number };
  readonly log: PluginLog;
}

export interface Site {
  readonly url: string;
  /** Cuts idle and open connections too. */
  close(): Promise<void>;
}

/** Loopback by number, so that no other machine reaches the site, whatever `localhost` means here. */
const host = '127.0.0.1';

/** A name of another machine may resolve to this one (DNS rebinding). */
const loopbackHost = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?$/i;

/**
 * Serves the files of a folder on a port of its own, with the modules of `pullcord/chat` and `pullcord/client` below
 * `/pullcord/`: pages on another origin than the gateway's.
 * @returns undefined, after a warning, if the port cannot be used
 */
export async function startSite(options: SiteOptions): Promise<Site | undefined> {
  const { root, port, gateway, log, modules = installedModules() } = options;
  const folders: SiteFolders = { root: realpathSync(root), modules };
  const policy = contentSecurityPolicy(gateway);
  const server = createServer((request, response) => {
    void answer(request, response, folders, policy, log).catch((err: unknown) => {
      log.error({ err }, 'the site could not answer a request');
      response.destroy();
    });
  });
  const { promise: listening, resolve } = Promise.withResolvers<NodeJS.ErrnoException | undefined>();
  server.once('error', resolve).listen(port, host, () => resolve(undefined));
  const fault = await listening;
  if (fault !== undefined) {
    const reason = fault.code === 'EADDRINUSE' ? 'another program listens on its port' : fault.message;
    log.warn({ port, reason }, 'the site is not served; name another port with --site-port');
    return undefined;
  }
  const { port: actual } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${actual}`,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  { method, url = '', headers }: IncomingMessage,
  response: ServerResponse,
  folders: SiteFolders,
  policy: string,
  log: PluginLog,
): Promise<void> {
  response.setHeader('content-security-policy', policy);
  response.setHeader('x-content-type-options', 'nosniff');
  response.setHeader('cross-origin-resource-policy', 'same-origin');
  response.setHeader('referrer-policy', 'no-referrer');
  response.setHeader('cache-control', 'no-cache');
  if (!loopbackHost.test(headers.host ?? '')) return refuse(response, 421, 'The site is served on 127.0.0.1 only.');
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    return refuse(response, 405, 'Only GET and HEAD are allowed.');
  }
  const file = await readSiteFile(folders, url);
  if (file.kind === 'not_built') log.warn({ path: file.path }, 'the chat is not built: run `npm run build`');
  if (file.kind !== 'file') return refuse(response, 404, 'There is no such file.');
  response.writeHead(200, { 'content-type': file.type, 'content-length': file.bytes.length });
  // Node sends no body in an answer to HEAD.
  response.end(file.bytes);
}

function refuse(response: ServerResponse, status: number, text: string): void {
  // What a body holds is not read.
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text) + 1,
    connection: 'close',
  });
  response.end(`${text}\n`);
}

function installedModules(): string {
  return fileURLToPath(new URL('..', import.meta.resolve('pullcord/chat')));
}
