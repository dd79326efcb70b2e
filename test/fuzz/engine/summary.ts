import type { TargetReport } from './campaign.ts';
import { faultKinds } from './target.ts';

/** Prints the steps of each target and the faults of all. Returns whether there were none. */
export function printSummary(reports: readonly TargetReport[], seconds: number): boolean {
  console.table(
    Object.fromEntries(
      reports
        .toSorted((one, other) => (one.target < other.target ? -1 : 1))
        .map(({ target, steps, cpuSeconds, corpus, outcomes, slowestMs, mostWork, faults }) => [
          target,
          {
            steps,
            'CPU s': Number(cpuSeconds.toFixed(1)),
            'steps/CPU s': Math.round(steps / cpuSeconds),
            outcomes: Object.keys(outcomes).length,
            corpus,
            'slowest, CPU ms': Number(slowestMs.toFixed(1)),
            'most work': mostWork === undefined ? '' : `${(mostWork * 100).toFixed(1)} %`,
            faults: faults.length,
          },
        ]),
    ),
  );
  const steps = reports.reduce((sum, report) => sum + report.steps, 0);
  console.log(`${steps.toLocaleString('en')} steps in ${Math.round(seconds)} s`);
  const all = reports.flatMap(({ faults }) => faults);
  for (const kind of faultKinds) {
    console.log(`${labels[kind]}: ${all.filter((found) => found.kind === kind).length}`);
  }
  return all.length === 0;
}

const labels = {
  crash: 'crashes',
  hang: 'hangs',
  'server error': '5xx',
  'work beyond its limit': 'work beyond its limit',
  'broken promise': 'broken promises',
} as const;
