import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import type { Test } from 'tap';
import { violations, watchFaults } from './browser.ts';

export interface ConsoleOptions {
  /** Of the admin listener. */
  readonly adminUrl: string;
  /** With which it signs in; undefined: none is required. */
  readonly token?: string;
  /** What stands behind `#`: `/runs?state=failed`. */
  readonly at?: string;
  readonly theme?: 'light' | 'dark';
  /** Pixels. */
  readonly width?: number;
  readonly height?: number;
}

export interface OpenedConsole {
  readonly page: Page;
  /** Errors of scripts and of the policy, messages of the console that are errors, and dialogs. */
  readonly faults: readonly string[];
  /** Goes to another place of the console, as a link would. */
  go(at: string): Promise<void>;
}

/** Opens the console as a person of its own, signed in, at the place that is asked for. It must be built. */
export async function openConsole(browser: Browser, options: ConsoleOptions): Promise<OpenedConsole> {
  const { adminUrl, token, at = '/overview', theme = 'light', width = 1280, height = 800 } = options;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: theme,
    reducedMotion: 'reduce',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  const faults = watchFaults(page);
  await page.goto(`${adminUrl}/#${at}`);
  if (token !== undefined) {
    await page.getByLabel('Token of the admin listener').fill(token);
    await page.getByRole('button', { name: 'Sign in' }).click();
  }
  await page.getByRole('navigation', { name: 'Views' }).waitFor();
  return {
    page,
    faults,
    async go(place) {
      await page.evaluate(`window.location.hash = ${JSON.stringify(place)}`);
    },
  };
}

const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds in a page as it is now: accessible names, contrast, structure. */
export async function accessibilityFaults(page: Page): Promise<readonly string[]> {
  if (!(await page.evaluate("typeof axe === 'object'"))) await page.evaluate(axe);
  return page.evaluate(violations);
}

/**
 * Keeps a picture of a page as artifact of the tests, where the environment variable PULLCORD_TEST_SCREENSHOTS names a folder.
 * @param name of the file, without `.png`
 */
export async function keepScreenshot(page: Page, name: string): Promise<void> {
  const folder = process.env.PULLCORD_TEST_SCREENSHOTS;
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

/** Says that a page has had no faults and has none of accessibility. */
export async function clean(t: Test, { page, faults }: OpenedConsole): Promise<void> {
  t.strictSame(await accessibilityFaults(page), []);
  // Chromium reports that there was no token yet.
  t.strictSame(
    faults.filter((fault) => !/status of 401/.test(fault)),
    [],
  );
}
