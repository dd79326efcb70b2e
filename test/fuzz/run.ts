import { basename, join, relative } from 'node:path';
import { scriptOptions, wholeNumber, wrongUsage } from '../support/script-options.ts';
import { attempt } from './engine/attempt.ts';
import { runCampaign, type TargetReport } from './engine/campaign.ts';
import { addFind, readInputs } from './engine/corpus-folder.ts';
import { foundOf } from './engine/found.ts';
import { printSummary } from './engine/summary.ts';
import type { Target } from './engine/target.ts';
import { targets } from './targets/index.ts';

const finds = join(import.meta.dirname, 'corpus');
const options = {
  steps: { type: 'string', default: '10000000' },
  seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  jobs: { type: 'string', default: '2' },
  target: { type: 'string', multiple: true },
  corpus: { type: 'string' },
  'hang-after': { type: 'string', default: '60' },
  replay: { type: 'string', multiple: true },
  list: { type: 'boolean' },
} as const;

const help = `npm run fuzz [-- OPTIONS]

Fuzzes everything that reads untrusted data. Exits 1 if there was a crash, a hang, a 5xx, work beyond its limit, or a broken
promise: the input is then saved in test/fuzz/corpus/TARGET.json, which npm test replays.

  --steps N         steps of all targets together (10000000)
  --seed N          repeats a run (the time)
  --jobs N          processes at once (2)
  --target NAME     only this target; may be repeated
  --corpus DIR      starts with the inputs in DIR/TARGET.json, and adds some that it keeps
  --hang-after S    seconds after which a step is a hang (60)
  --replay FILE     runs the inputs in a file that is named like its target, or --target names it; may be repeated
  --list            lists the targets
`;

function numberOf(name: 'steps' | 'seed' | 'jobs' | 'hang-after'): number {
  return wholeNumber(name, values[name], name === 'seed' ? 0 : 1);
}

function targetNamed(name: string): Target {
  return targets.find((target) => target.name === name) ?? wrongUsage(`there is no target ${name}: see --list`);
}

async function replay(file: string): Promise<boolean> {
  const target = targetNamed(values.target?.[0] ?? basename(file, '.json'));
  const opened = await target.open();
  let isFine = true;
  for (const input of readInputs(file)) {
    const shown = JSON.stringify(input.toString('latin1').slice(0, 100));
    try {
      const { kind, code } = await attempt(opened, input);
      console.log(`${kind}: ${code}: ${shown}`);
    } catch (error) {
      const found = foundOf(error, input);
      console.log(`${found.kind}: ${found.stack}: ${shown}`);
      isFine = false;
    }
  }
  await opened.close?.();
  return isFine;
}

async function fuzz(): Promise<boolean> {
  const chosen = values.target?.map(targetNamed) ?? targets;
  const [steps, seed] = [numberOf('steps'), numberOf('seed')];
  console.log(`${chosen.length} targets, ${steps.toLocaleString('en')} steps, seed ${seed}`);
  const startedAt = performance.now();
  let printedAt = startedAt;
  const reports = await runCampaign({
    ...{ module: join(import.meta.dirname, 'targets/index.ts'), targets: chosen, steps, seed, jobs: numberOf('jobs') },
    hangMs: numberOf('hang-after') * 1000,
    restarts: 5,
    folders: [finds, ...(values.corpus === undefined ? [] : [values.corpus])],
    grows: values.corpus,
    onProgress(count) {
      if (performance.now() - printedAt < 10_000) return;
      printedAt = performance.now();
      const seconds = Math.round((printedAt - startedAt) / 1000);
      console.log(`${count.toLocaleString('en')} of ${steps.toLocaleString('en')} steps after ${seconds} s`);
    },
    onDone: saveFinds,
  });
  return printSummary(reports, (performance.now() - startedAt) / 1000);
}

function saveFinds({ target, faults }: TargetReport): void {
  for (const { kind, message, stack, input } of faults) {
    const path = addFind(finds, target, input);
    console.log(`${target}: ${kind}: ${message}\n${stack.split('\n').slice(1, 5).join('\n')}`);
    const where = path === undefined ? `no room for its ${input.length} bytes` : relative('.', path);
    console.log(`  ${where}: ${JSON.stringify(input.toString('latin1').slice(0, 200))}`);
  }
}

const values = scriptOptions(help, options);
if (values.list) for (const { name } of targets) console.log(name);
else if (values.replay !== undefined) {
  for (const file of values.replay) if (!(await replay(file))) process.exitCode = 1;
  process.exit();
} else if (!(await fuzz())) process.exitCode = 1;
