// npm run crash-test [-- --kills N] [-- --json]: kills a gateway under load, and exits 1 if anything accepted was lost.
import { parseArgs } from 'node:util';
import { crashTest } from './crash-test.ts';

const { values } = parseArgs({ options: { kills: { type: 'string', default: '50' }, json: { type: 'boolean' } } });
const kills = Number(values.kills);
if (!Number.isInteger(kills) || kills < 1) {
  console.error('--kills wants a whole number of at least 1');
  process.exit(2);
}
const report = await crashTest({
  kills,
  onKill(count) {
    if (!values.json) process.stderr.write(`\r${count} of ${kills} kills`);
  },
});
if (values.json) console.log(JSON.stringify(report));
else {
  const { faults, ...seen } = report;
  console.error();
  console.table(seen);
  console.table(faults);
}
if (Object.values(report.faults).some((count) => count > 0)) process.exitCode = 1;
