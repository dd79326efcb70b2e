import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scriptOptions, wholeNumber } from '../../support/script-options.ts';
import { compareWithReference } from './differential.ts';
import { type CaseResult, readSuite, runCase } from './suite.ts';

const help = `npm run conformance [-- OPTIONS]

Compares the filter engine with JSONata: every recorded case of JSONata's own suite, where its folder is there, and random
expressions against the reference. Exits 1 if they differ.

  --suite DIR   the folder of the suite
  --pairs N     how many random expressions (100000)
  --seed N      repeats a run (the time)`;

const options = scriptOptions(help, {
  suite: { type: 'string', default: join(import.meta.dirname, '../../../../shared/jsonata-suite') },
  pairs: { type: 'string', default: '100000' },
  seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
});
/** The least share of the cases that has to compile. */
const leastCompiled = 0.75;
/** Pairs between two lines of progress. */
const stride = 10_000;

if (await isThere(options.suite)) {
  const agrees = await runSuite(options.suite);
  await runPairs(wholeNumber('pairs', options.pairs, 0), wholeNumber('seed', options.seed, 0));
  process.exitCode = agrees ? 0 : 1;
} else {
  console.log(`No suite at ${options.suite}: nothing to do.`);
}

async function isThere(folder: string): Promise<boolean> {
  return access(folder).then(
    () => true,
    () => false,
  );
}

async function runSuite(folder: string): Promise<boolean> {
  const exceptions: Record<string, string> = JSON.parse(
    await readFile(join(import.meta.dirname, 'exceptions.json'), 'utf8'),
  );
  const counts: Record<CaseResult['mode'], number> = { compiled: 0, isolated: 0, refused: 0 };
  const unexpected: string[] = [];
  let excepted = 0;
  const cases = await readSuite(folder);
  for (const each of cases) {
    const { mode, difference } = await runCase(each);
    counts[mode] += 1;
    const isException = Object.hasOwn(exceptions, each.name);
    if (isException) excepted += 1;
    if (difference !== undefined && !isException) unexpected.push(`${each.name} (${mode}): ${difference}`);
    if (difference === undefined && isException) unexpected.push(`${each.name} agrees: it is no exception any more`);
  }
  for (const line of unexpected) console.error(line);
  const share = counts.compiled / cases.length;
  console.log(
    `${cases.length} recorded cases: ${counts.compiled} compiled (${(share * 100).toFixed(1)} %), ` +
      `${counts.isolated} isolated, ${counts.refused} refused; ${excepted} exceptions, ${unexpected.length} differences`,
  );
  if (share < leastCompiled) console.error(`less than ${leastCompiled * 100} % of the cases compile`);
  return unexpected.length === 0 && share >= leastCompiled;
}

async function runPairs(pairs: number, seed: number): Promise<void> {
  const { compiled } = await compareWithReference(pairs, seed, (done) => {
    if (done % stride === 0) console.log(`${done} of ${pairs} random pairs agree`);
  });
  console.log(`${compiled} random pairs agree (seed ${seed})`);
}
