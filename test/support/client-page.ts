import type { Page } from 'playwright-core';
import { until } from './until.ts';

/** An instruction whose characters take from one to four bytes: streams may break within any of them. */
export const words = 'one zwei trois 四 πέντε шесть seven 🎉🎉 neuf ten eleven twelve';

const helpers = `
  import { PullcordClient, PullcordError } from '/pullcord/client/index.ts';
  globalThis.connect = (url, credential) => { globalThis.client = new PullcordClient({ url, credential, retries: 0 }); };
  globalThis.collect = async (events) => { const all = []; for await (const event of events) all.push(event); return all; };
  globalThis.attempt = (promise) => promise.then(
    (value) => ({ value }),
    (error) => ({ error: error instanceof PullcordError ? error.status + ' ' + error.code : error.name }),
  );
`;

/** The files of a site whose page has the client, and functions for tests that call it; `script` is the page's own. */
export function clientPage(script = ''): Record<string, string> {
  return {
    '/': '<!doctype html><html lang="en"><title>shop</title><script type="module" src="/page.js"></script>',
    '/page.js': `${helpers}\n${script}\ndocument.title = 'ready';`,
  };
}

/** Resolves when the scripts of the page have run. */
export async function ready(page: Page): Promise<void> {
  await until(async () => (await page.title()) === 'ready');
}

/** Makes the page's client, `client`. */
export async function connect(page: Page, gateway: string, credential: string): Promise<void> {
  await ready(page);
  await page.evaluate(`connect(${JSON.stringify(`${gateway}/api/v1.0`)}, ${JSON.stringify(credential)})`);
}

interface StreamEvent {
  readonly type: string;
  readonly text?: string;
  readonly offset?: number;
}

/** The events of a stream that the page's client reads to its end. */
export async function streamed(page: Page, trigger: string, body: object): Promise<readonly StreamEvent[]> {
  return page.evaluate(`collect(client.stream(${JSON.stringify(trigger)}, ${JSON.stringify(body)}))`);
}
