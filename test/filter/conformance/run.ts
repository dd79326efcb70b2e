import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scriptOptions, wholeNumber } from '../../support/script-options.ts';
import { compareRegExps } from './compare-regexps.ts';
import { compareWithReference } from './differential.ts';
import { type CaseResult, readSuite, runCase } from './suite.ts';

const help = `npm run conformance [-- OPTIONS]

Compares the filter engine with JSONata: every recorded case of JSONata's own suite, where its folder is there, and random
expressions against the reference; and its engines for regular expressions with JavaScript's, on random patterns and texts.
Stops at the first pair that differs, and prints it with the seed; exits 1 if anything differs.

  --suite DIR     the folder of the suite; without it nothing runs, unless --pairs or --regexps is given
  --pairs N       how many random expressions for each seed (100000)
  --regexps N     how many random regular expressions for each seed (200000)
  --seed N        repeats a run (the time)
  --seeds N       how many consecutive seeds, beginning with that (1)`;

const options = scriptOptions(help, {
  suite: { type: 'string', default: join(import.meta.dirname, '../../../../shared/jsonata-suite') },
  pairs: { type: 'string' },
  regexps: { type: 'string' },
  seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  seeds: { type: 'string', default: '1' },
});
/** The least share of the cases that has to compile. */
const leastCompiled = 0.75;
/** Pairs between two lines of progress. */
const stride = 10_000;

const pairs = wholeNumber('pairs', options.pairs ?? '100000', 0);
const regexps = wholeNumber('regexps', options.regexps ?? '200000', 0);
const firstSeed = wholeNumber('seed', options.seed, 0);
const seeds = wholeNumber('seeds', options.seeds);

if (await isThere(options.suite)) {
  if (!(await runSuite(options.suite))) process.exitCode = 1;
  await runRandom();
} else if (options.pairs !== undefined || options.regexps !== undefined) {
  console.log(`No suite at ${options.suite}: its cases are skipped.`);
  await runRandom();
} else console.log(`No suite at ${options.suite}: nothing to do.`);

async function runRandom(): Promise<void> {
  for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
    if (pairs > 0) await runPairs(seed);
    if (regexps > 0) runRegExps(seed);
  }
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

async function runPairs(seed: number): Promise<void> {
  const { compiled } = await compareWithReference(pairs, seed, (done) => {
    if (done % stride === 0) console.log(`${done} of ${pairs} random pairs agree`);
  });
  console.log(`${compiled} random pairs agree (seed ${seed})`);
}

function runRegExps(seed: number): void {
  const { native, matching } = compareRegExps(regexps, seed, (done) => {
    if (done % stride === 0) console.log(`${done} of ${regexps} random regular expressions agree`);
  });
  console.log(
    `${regexps} random regular expressions agree with JavaScript in verdict, match, index and groups (seed ${seed}): ` +
      `${matching} match, ${native} also run on the native engine`,
  );
}
