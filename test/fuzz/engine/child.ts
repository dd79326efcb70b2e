// A process of the fuzzer: tries inputs on one target, and reports when it is done. Anything may end it before.
import { pathToFileURL } from 'node:url';
import { growCorpus, readCorpus } from './corpus-folder.ts';
import { fuzzTarget } from './fuzz-target.ts';
import type { ChildReport, Job } from './job.ts';
import { LastStep } from './last-step.ts';
import type { Target } from './target.ts';

const job: Job = JSON.parse(process.argv[2] ?? '');
const targets: readonly Target[] = (await import(pathToFileURL(job.module).href)).targets;
const target = targets.find(({ name }) => name === job.target);
if (target === undefined) throw new Error(`no target ${job.target} in ${job.module}`);

// A step that never settles leaves nothing to wait for, which would end the process: it is a hang, no crash.
setInterval(() => {}, 60_000);
const lastStep = new LastStep(job.stepFile);
// Work that a step leaves behind may fail after it: the process ends then, and the step file names the step.
const earlier = [...new Set(job.folders)].flatMap((folder) => readCorpus(folder, job.target));
const report = await fuzzTarget(target, { ...job, earlier, lost: new Set(job.lost), onStep: lastStep.write });
lastStep.close();
if (job.grows !== undefined) growCorpus(job.grows, job.target, report.found);

const { steps, outcomes, corpus, cpuSeconds, mostWork, slowest } = report;
const encoded = (input: Buffer) => input.toString('base64');
const faults = report.faults.map((found) => ({ ...found, input: encoded(found.input) }));
const sent: ChildReport = {
  ...{ steps, outcomes, faults, corpus, cpuSeconds, mostWork },
  slowest: { ms: slowest.ms, input: encoded(slowest.input) },
};
process.send?.(sent, () => process.exit(0));
