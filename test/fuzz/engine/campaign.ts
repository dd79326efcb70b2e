import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Found } from './found.ts';
import { type Target, weightOf } from './target.ts';
import { runJob } from './watched-job.ts';

export interface CampaignOptions {
  /** The module that exports `targets`. */
  readonly module: string;
  readonly targets: readonly Target[];
  readonly seed: number;
  /** Of all targets together. */
  readonly steps: number;
  /** How many processes run at once. */
  readonly jobs: number;
  readonly hangMs: number;
  readonly folders: readonly string[];
  readonly grows: string | undefined;
  /** How often a target's process is started again after an input that ended it. */
  readonly restarts: number;
  /** Called now and then with the steps of all targets so far. */
  readonly onProgress?: (steps: number) => void;
  readonly onDone?: (report: TargetReport) => void;
}

export interface TargetReport {
  readonly target: string;
  readonly steps: number;
  readonly seconds: number;
  readonly faults: readonly Found[];
  readonly outcomes: Readonly<Record<string, number>>;
  /** How many inputs it kept. */
  readonly corpus: number;
  /** Time of the processor for its last process's steps. */
  readonly cpuSeconds: number;
  /** The largest share of its limit that the work of a step had; undefined if no step counted its work. */
  readonly mostWork: number | undefined;
  readonly slowestMs: number;
  readonly slowest: Buffer;
}

/** Fuzzes targets in processes of their own, and reports on each. */
export async function runCampaign(options: CampaignOptions): Promise<readonly TargetReport[]> {
  const { targets, steps, jobs, onProgress } = options;
  const folder = mkdtempSync(join(tmpdir(), 'pullcord-fuzz-'));
  const shares = sharesOf(targets, steps);
  const progress = new Map<string, number>();
  const reports: TargetReport[] = [];
  // The slow ones have few steps and take longest, so they are started first.
  const waiting = targets.toSorted((one, other) => weightOf(one) - weightOf(other));
  const work = async (): Promise<void> => {
    for (let target = waiting.shift(); target !== undefined; target = waiting.shift()) {
      const { name } = target;
      const report = await fuzzOne(target, shares.get(name) ?? 0, options, folder, (count) => {
        progress.set(name, count);
        onProgress?.([...progress.values()].reduce((sum, each) => sum + each, 0));
      });
      progress.set(name, report.steps);
      options.onDone?.(report);
      reports.push(report);
    }
  };
  try {
    await Promise.all(Array.from({ length: jobs }, work));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return reports;
}

/** Each target's steps by its weight, at least one; the last one takes what rounding leaves. */
function sharesOf(targets: readonly Target[], steps: number): ReadonlyMap<string, number> {
  const all = targets.reduce((sum, target) => sum + weightOf(target), 0);
  const shares = new Map(
    targets.map((target) => [target.name, Math.max(1, Math.floor((steps * weightOf(target)) / all))]),
  );
  const heaviest = targets.toSorted((one, other) => weightOf(other) - weightOf(one))[0];
  const given = [...shares.values()].reduce((sum, share) => sum + share, 0);
  if (heaviest !== undefined && given < steps) {
    shares.set(heaviest.name, (shares.get(heaviest.name) ?? 0) + steps - given);
  }
  return shares;
}

async function fuzzOne(
  { name }: Target,
  steps: number,
  { module, seed, hangMs, folders, grows, restarts }: CampaignOptions,
  folder: string,
  onProgress: (count: number) => void,
): Promise<TargetReport> {
  const startedAt = performance.now();
  const lost: Found[] = [];
  let done = 0;
  for (let round = 0; ; round += 1) {
    const job = { module, target: name, seed: seed + round, steps: steps - done, folders, grows, lost: inputsIn(lost) };
    const watch = { hangMs, onProgress: (count: number) => onProgress(done + count) };
    const end = await runJob({ ...job, stepFile: join(folder, `${name}-${round}`) }, watch);
    const seconds = (performance.now() - startedAt) / 1000;
    if (end.kind === 'done') {
      const { report } = end;
      const faults = report.faults.map((fault) => ({ ...fault, input: Buffer.from(fault.input, 'base64') }));
      const slowest = { slowestMs: report.slowest.ms, slowest: Buffer.from(report.slowest.input, 'base64') };
      const { outcomes, corpus, cpuSeconds, mostWork } = report;
      return {
        target: name,
        steps: done + report.steps,
        seconds,
        faults: [...different(lost), ...faults],
        ...{ outcomes, corpus, cpuSeconds, mostWork },
        ...slowest,
      };
    }
    done += end.steps;
    lost.push(end.found);
    if (round < restarts && done < steps) continue;
    const nothing = {
      outcomes: {},
      corpus: 0,
      cpuSeconds: 0,
      mostWork: undefined,
      slowestMs: 0,
      slowest: Buffer.alloc(0),
    };
    return { target: name, steps: done, seconds, faults: different(lost), ...nothing };
  }
}

function inputsIn(lost: readonly Found[]): string[] {
  return lost.map(({ input }) => input.toString('base64'));
}

/** The first of the faults that are probably the same. */
function different(lost: readonly Found[]): readonly Found[] {
  return [...new Map(lost.toReversed().map((found) => [found.signature, found])).values()].toReversed();
}
