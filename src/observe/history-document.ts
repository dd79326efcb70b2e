import { durationBounds, type History, type HistoryRange, type HistoryStep } from './history.ts';
import type { HistoryDocument } from './history-document.gen.ts';

/** As schemas/source/history.schema.json describes it. */
export function historyDocument(history: History, range: HistoryRange, node: string): HistoryDocument {
  return {
    ...{ node, since: new Date(history.startedAt).toISOString(), stepMs: history.stepMs(range) },
    steps: history.steps(range).map((step) => ({
      ...{ at: new Date(step.at).toISOString(), requests: step.requests, runs: step.runs },
      ...{ p50Ms: quantile(step, 0.5), p95Ms: quantile(step, 0.95) },
      ...{ inputTokens: step.inputTokens, outputTokens: step.outputTokens },
      cost: [...step.cost].map(([currency, amount]) => ({ currency, amount })),
      ...{ queued: step.queued, running: step.running },
    })),
    reloads: history.reloads.map(({ at, outcome, revision, gitCommit, by }) => ({
      ...{ at: new Date(at).toISOString(), outcome, revision, gitCommit: gitCommit ?? null },
      ...(by !== undefined && by),
    })),
  };
}

/** At most how long a share of the attempts took, in milliseconds; null without attempts. Beyond the last bound: the last bound. */
function quantile({ attempts }: HistoryStep, share: number): number | null {
  const counts = Array.from({ length: durationBounds.length + 1 }, (_, index) => attempts[index] ?? 0);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  let seen = 0;
  const index = counts.findIndex((count) => {
    seen += count;
    return seen >= total * share;
  });
  return durationBounds[index] ?? durationBounds.at(-1) ?? null;
}
