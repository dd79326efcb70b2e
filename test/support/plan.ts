import type { Test } from 'tap';
import { formatPlan, runPlan } from '../../src/review/plan/result.ts';
import { requestOfLine, type SourcedRequest } from '../../src/review/request-source.ts';
import { configFolder } from './config-folder.ts';

export interface PlannedFolders {
  readonly before: Record<string, string>;
  readonly after: Record<string, string>;
  readonly requests?: readonly SourcedRequest[];
  readonly now?: number;
}

/** Plans a change of files, each side in a folder of its own. */
export async function planOf(t: Test, { before, after, requests, now = 0 }: PlannedFolders) {
  const [base, head] = [await configFolder(t, before), await configFolder(t, after)];
  const result = await runPlan({
    base: { root: base, label: 'base' },
    head: { root: head, label: 'head' },
    requests,
    showBodies: false,
    now,
  });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  const { plan, sources } = result;
  const print = (format: 'text' | 'markdown' | 'json') =>
    formatPlan(plan, sources, { format }).replaceAll(base, 'base').replaceAll(head, 'head');
  return {
    plan,
    print,
    baseFaults: result.baseFaults,
    /** Codes of warnings of widened access, and of others in brackets. */
    codes: plan.warnings.map(({ code, widens }) => (widens ? code : `(${code})`)),
    /** What changes, in words. */
    details: plan.structure.flatMap(({ id, details }) =>
      details.map(({ what, before: old, after: now }) => `${id} ${what}: ${old ?? 'none'} → ${now ?? 'none'}`),
    ),
  };
}

/** A recorded request of `support/TRIGGER`. */
export function recordedRequest(trigger: string, members: object = {}): SourcedRequest {
  const line = { project: 'support', trigger, receivedAt: '2026-11-01T08:00:00Z', caller: 'website', body: {} };
  return requestOfLine(JSON.stringify({ ...line, ...members }), 'line 1');
}
