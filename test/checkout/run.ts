// npm run checkout-test [-- --checkouts N] [-- --json]: checks out two commits of a served folder in turn, under load, and
// exits 1 if anything was served that is of neither.
import { parseArgs } from 'node:util';
import { checkoutTest } from './checkout-test.ts';

const { values } = parseArgs({ options: { checkouts: { type: 'string', default: '200' }, json: { type: 'boolean' } } });
const checkouts = Number(values.checkouts);
if (!Number.isInteger(checkouts) || checkouts < 1) {
  console.error('--checkouts wants a whole number of at least 1');
  process.exit(2);
}
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
