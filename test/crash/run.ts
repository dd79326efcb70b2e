import { scriptOptions, wholeNumber } from '../support/script-options.ts';
import { crashTest } from './crash-test.ts';

const help = `npm run crash-test [-- OPTIONS]

Kills a gateway under load, again and again. Exits 1 if anything that was accepted is lost.

  --kills N   how often (50)
  --json      prints the report as JSON`;

const values = scriptOptions(help, { kills: { type: 'string', default: '50' }, json: { type: 'boolean' } });
const kills = wholeNumber('kills', values.kills);
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
