import type { Config, TriggerConfig } from '../config/model.ts';
import { Slices } from '../config/slices.ts';
import { nameOf } from '../config/uses-of.ts';
import type { RecordedRequest } from '../engine/types/index.ts';
import type { LoadedSources } from '../runtime/snapshot-builder.ts';
import type { FilterOutcomes, FilterTrialDocument } from './filter-trial.gen.ts';
import { type OpenedConfig, openLoaded } from './open-config.ts';
import { triableRequest } from './recorded-requests.ts';
import { Rehearsal } from './rehearsal.ts';

/** How many changes are listed, and how long a trial may take, in milliseconds. */
const mostChanges = 100;
const longestMs = 10_000;

export interface FilterTrial {
  readonly trigger: TriggerConfig;
  /** The name of the filter, and what it is tried with. */
  readonly filter: string;
  readonly expression: string;
  /** The latest first. */
  readonly requests: readonly RecordedRequest[];
}

export type TriedFilter =
  | { readonly ok: true; readonly trial: FilterTrialDocument }
  /** What is wrong with the expression. */
  | { readonly ok: false; readonly problems: readonly string[] };

type Decision = 'passed' | 'dropped' | 'error';

/** Judges recorded requests by the filters as they serve, and with another expression of one of them. */
export async function tryFilter(served: LoadedSources, trial: FilterTrial): Promise<TriedFilter> {
  const { trigger, requests } = trial;
  const [before, after] = await Promise.all([open(served, trigger), open(served, withExpression(trial))]);
  try {
    if (!before.ok) return { ok: false, problems: before.problems.map(({ message }) => message) };
    if (!after.ok)
      return {
        ok: false,
        problems: after.problems.map(({ message, hint }) => [message, hint].filter(Boolean).join('. ')),
      };
    const judged = requests.filter(({ masked, details }) => masked.length === 0 && details?.omitted === undefined);
    const [committed, tried] = [counts(), counts()];
    const [first, second] = [new Rehearsal(before.snapshot), new Rehearsal(after.snapshot)];
    const changes: FilterTrialDocument['changes'] = [];
    const slices = new Slices();
    const endsAt = performance.now() + longestMs;
    let durationMs = 0;
    let done = 0;
    let changed = 0;
    for (const request of judged) {
      if (performance.now() > endsAt) break;
      done += 1;
      // The gateway serves meanwhile.
      await slices.next();
      const from = await decide(first, request);
      const startedAt = performance.now();
      const to = await decide(second, request);
      durationMs += performance.now() - startedAt;
      count(committed, from);
      count(tried, to);
      if (from === to) continue;
      changed += 1;
      const { id, receivedAt } = request;
      if (changes.length < mostChanges) changes.push({ id, receivedAt: new Date(receivedAt).toISOString(), from, to });
    }
    const hasMore = changed > changes.length;
    const trialled = { judged: done, notJudged: requests.length - done, committed, tried, changes, hasMore };
    return { ok: true, trial: { ...trialled, durationMs: Math.round(durationMs * 10) / 10 } };
  } finally {
    for (const opened of [before, after]) if (opened.ok) await opened.close();
  }
}

function open({ config, sources }: LoadedSources, trigger: TriggerConfig): Promise<OpenedConfig> {
  const alone: Config = { ...config, triggers: [trigger] };
  return openLoaded({ config: alone, sources });
}

function withExpression({ trigger, filter, expression }: FilterTrial): TriggerConfig {
  const filters = trigger.filter.map((use) =>
    nameOf(use) === filter ? { ...use, with: { ...use.with, expression } } : use,
  );
  return { ...trigger, filter: filters };
}

async function decide(rehearsal: Rehearsal, request: RecordedRequest): Promise<Decision> {
  const { verdict, code } = await rehearsal.tryFilters(triableRequest({ ...request, ...request.details }));
  if (code === 'filter_error') return 'error';
  return verdict === 'dropped' ? 'dropped' : 'passed';
}

function counts(): FilterOutcomes {
  return { passed: 0, dropped: 0, errors: 0 };
}

function count(outcomes: FilterOutcomes, decision: Decision): void {
  outcomes[decision === 'error' ? 'errors' : decision] += 1;
}
