import { readFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';
import { listen } from './listen.ts';
import { programPath } from './nginx.ts';

const sources = join(import.meta.dirname, '../../src');

/** What a site with a strict policy allows itself: its own scripts, the gateway, and no text that becomes code. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "connect-src 'self' http://127.0.0.1:*",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ');

/** Debian's Chromium; undefined where it is not installed. Tests are skipped then, but not by `.ci/run`. */
export const chromiumPath = process.env.PULLCORD_TEST_CHROMIUM ?? (await programPath('chromium'));

/**
 * Starts Chromium; it stops with the test.
 * @param more further options of the command line
 */
export async function startBrowser(t: Test, more: readonly string[] = []): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'];
  const browser = await chromium.launch({
    executablePath: chromiumPath ?? '',
    args: [...args, '--disable-sync', ...more],
  });
  t.teardown(() => browser.close());
  return browser;
}

/** What a site's server does for a request: it answers with JSON. */
export type SiteRoute = (request: IncomingMessage) => Promise<object>;

/**
 * Serves a site on an origin of its own, under a strict Content-Security-Policy; it stops with the test. The modules of
 * `src/client` and `src/chat` are below `/pullcord/`, without their types.
 * @param files by path, and what its server does itself
 * @returns the origin
 */
export async function serveSite(t: Test, files: Readonly<Record<string, string | SiteRoute>>): Promise<string> {
  return listen(t, async (request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://site');
    const body = files[pathname] ?? (await moduleAt(pathname));
    if (typeof body === 'function') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(await body(request)));
      return;
    }
    if (body === undefined) return response.writeHead(pathname === '/favicon.ico' ? 204 : 404).end();
    response.writeHead(200, {
      'content-type': pathname.endsWith('.ts') || pathname.endsWith('.js') ? 'text/javascript' : 'text/html',
      'content-security-policy': contentSecurityPolicy,
    });
    response.end(body);
  });
}

async function moduleAt(pathname: string): Promise<string | undefined> {
  const [, path] = /^\/pullcord\/((?:client|chat)\/[a-z0-9-]+\.ts)$/.exec(pathname) ?? [];
  return path === undefined ? undefined : stripTypeScriptTypes(await readFile(join(sources, path), 'utf8'));
}

/** A script that resolves with what axe-core finds in a page; axe-core must run in it. */
export const violations = `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ target }) => target.flat().join(' ')).join(', ')))`;

export interface Visit {
  readonly page: Page;
  /** Errors of the console, of scripts and of the policy, and dialogs. */
  readonly faults: readonly string[];
}

/**
 * Opens a page as a visitor of its own, with a storage of its own.
 * @param script that runs in the page in spite of its policy
 */
export async function visit(browser: Browser, url: string, script = ''): Promise<Visit> {
  const page = await (await browser.newContext()).newPage();
  const faults = watchFaults(page);
  await page.addInitScript(script);
  await page.goto(url);
  return { page, faults };
}

export function watchFaults(page: Page): readonly string[] {
  const faults: string[] = [];
  page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('dialog', async (dialog) => {
    faults.push(`dialog ${dialog.message()}`);
    await dialog.dismiss();
  });
  return faults;
}
