import { scriptOptions, wholeNumber } from '../support/script-options.ts';
import { checkoutTest } from './checkout-test.ts';

const help = `npm run checkout-test [-- OPTIONS]

Checks out two commits of a served folder in turn, under load. Exits 1 if anything was served that is of neither.

  --checkouts N   how many (200)
  --json          prints the report as JSON`;

const values = scriptOptions(help, { checkouts: { type: 'string', default: '200' }, json: { type: 'boolean' } });
const checkouts = wholeNumber('checkouts', values.checkouts);
const report = await checkoutTest({
  checkouts,
  triggers: 600,
  pairs: 20,
  edits: 20,
  onCheckout(count) {
    if (!values.json) process.stderr.write(`\r${count} of ${checkouts} checkouts`);
  },
});
if (values.json) console.log(JSON.stringify(report));
else {
  const { faults, editMs, settleMs, ...seen } = report;
  console.error();
  console.table(seen);
  console.table({ editMs, settleMs });
  console.table(faults);
}
if (Object.values(report.faults).some((count) => count > 0)) process.exitCode = 1;
