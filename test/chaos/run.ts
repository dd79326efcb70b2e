import { scriptOptions, wholeNumber, wrongUsage } from '../support/script-options.ts';
import { chaosTest } from './chaos-test.ts';
import { type Fault, faultNames } from './faults.ts';

const help = `npm run chaos-test [-- OPTIONS]

Runs gateways on one PostgreSQL under load, kills, pauses and restarts them, crashes the database and breaks connections to it,
with clocks that are hours apart. Exits 1 if a promise is broken: a run lost, executed twice at once, accepted twice, a session
doubled or out of order, a limit exceeded.

  --seconds N       how long, at least (60)
  --acknowledged N  how many runs have to be acknowledged, too (0)
  --nodes N         how many gateways (3)
  --fault NAME      breaks the store on purpose, which the test has to notice: ${faultNames.join(', ')}
  --json            prints the report as JSON`;

const values = scriptOptions(help, {
  seconds: { type: 'string', default: '60' },
  acknowledged: { type: 'string', default: '0' },
  nodes: { type: 'string', default: '3' },
  fault: { type: 'string' },
  json: { type: 'boolean' },
});
const fault = faultNames.find((name) => name === values.fault);
if (values.fault !== undefined && fault === undefined) wrongUsage(`--fault must be one of ${faultNames.join(', ')}`);
const abort = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort(new Error('stopped')));

const report = await chaosTest({
  seconds: wholeNumber('seconds', values.seconds),
  acknowledged: wholeNumber('acknowledged', values.acknowledged, 0),
  nodes: wholeNumber('nodes', values.nodes),
  fault: fault satisfies Fault | undefined,
  signal: abort.signal,
  onProgress(words) {
    if (!values.json) console.error(words);
  },
});
if (values.json) console.log(JSON.stringify(report));
else {
  console.table(report.events);
  console.table(report.seen);
  console.table(Object.fromEntries(Object.entries(report.violations).map(([kind, list]) => [kind, list.length])));
  for (const [kind, list] of Object.entries(report.violations)) {
    for (const line of list.slice(0, 5)) console.log(`${kind}: ${line}`);
  }
}
if (Object.values(report.violations).some((list) => list.length > 0)) process.exitCode = 1;
