import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { chromiumPath, startBrowser } from '../support/browser.ts';
import { basicFiles, gatewayFile, writeInto } from '../support/config-folder.ts';
import { clean, keepScreenshot, openConsole } from '../support/console.ts';
import { serveFolder } from '../support/gateway.ts';
import { repositoryIn } from '../support/git.ts';

const skip = chromiumPath === undefined && 'Chromium is not installed';
const refund = `version: 1
kind: Trigger
project: support
name: Refund request
key: refund-request
run: { uses: echo }
filter:
  - name: paying customers
    uses: jsonata
    with: { expression: 'customer.plan = "pro"' }
`;

// The pictures console-request.png and console-filters.png of docs/images are those that this keeps.
t.test(
  'from an X-Request-Id to the line that dropped a request, how many others there were, and a better filter',
  { skip },
  async (t) => {
    const home = await mkdtemp(join(tmpdir(), 'pullcord-tour-'));
    // Places are shown as they are given.
    process.chdir(home);
    const files = {
      ...basicFiles(),
      'gateway.yaml': gatewayFile(),
      'triggers/refund-request.yaml': refund,
    };
    for (const [file, text] of Object.entries(files)) await writeInto(join(home, 'config'), file, text);
    const git = await repositoryIn(home);
    const { fire, adminUrl } = await serveFolder(t, 'config');
    for (const plan of ['free', 'enterprise', 'free', 'enterprise']) {
      await fire('refund-request', { instruction: 'refund order 7', customer: { id: 'c42', plan } });
    }
    const answer = await fire('refund-request', {
      instruction: 'refund order 8',
      customer: { id: 'c7', plan: 'enterprise' },
    });
    const requestId = String(answer.body.requestId);

    const opened = await openConsole(await startBrowser(t), { adminUrl, at: '/requests' });
    const { page } = opened;
    await page.getByLabel('X-Request-Id').fill(requestId);
    await page.keyboard.press('Enter');
    await page.getByText('1 recorded request').waitFor();
    await page.getByRole('row').filter({ hasText: requestId }).getByRole('link').first().click();
    await page.getByText('config/triggers/refund-request.yaml:8').first().waitFor();
    await page.getByText(`commit ${(await git('rev-parse', 'HEAD')).slice(0, 8)}`).waitFor();
    await page.getByText('customer.plan = "pro"').first().waitFor();
    await keepScreenshot(page, 'console-request');
    await clean(t, opened);
    await page.getByRole('link', { name: 'Others like it' }).click();
    await page.getByText('5 recorded requests').waitFor();

    await page.getByRole('link', { name: 'Filters' }).click();
    await page.getByLabel('JSONata over the body').fill('customer.plan in ["pro", "enterprise"]');
    await page.getByRole('button', { name: 'Try it on recorded requests' }).click();
    await page.getByText('3 requests would get a different verdict').waitFor();
    await keepScreenshot(page, 'console-filters');
    await page.getByRole('button', { name: 'Show the patch' }).click();
    await page.getByText('+++ b/config/triggers/refund-request.yaml').waitFor();
    await clean(t, opened);
  },
);
