import { scriptOptions, wholeNumber } from '../support/script-options.ts';
import { valuesTest } from './values-test.ts';

const help = `npm run values-test [-- OPTIONS]

Counts values of \`per\`, and measures what their counters take. Exits 1 if more values are counted apart than may be, or if
a million of them take more than 200 MB.

  --values N   how many values are counted (1000000)
  --bound N    how many of them are counted apart, as \`values\` of a limit says (1000000, the most that it may say)
  --json       prints the report as JSON`;

const given = scriptOptions(help, {
  values: { type: 'string', default: '1000000' },
  bound: { type: 'string', default: '1000000' },
  json: { type: 'boolean' },
});
const report = await valuesTest({
  values: wholeNumber('values', given.values),
  bound: wholeNumber('bound', given.bound),
});
if (given.json) console.log(JSON.stringify(report));
else console.table(report.rows);
if (report.rows.some(({ isFine }) => !isFine)) process.exitCode = 1;
