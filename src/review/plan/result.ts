import { formatProblems } from '../../diagnostics/format.ts';
import type { Problem } from '../../diagnostics/problem.ts';
import type { Sources } from '../../diagnostics/source.ts';
import { openConfig } from '../open-config.ts';
import { formatPlanJson } from './format-plan-json.ts';
import { formatPlanMarkdown } from './format-plan-markdown.ts';
import { formatPlanText } from './format-plan-text.ts';
import { makePlan, type PlanOptions } from './make-plan.ts';
import type { Plan } from './plan.ts';
import { planProblems } from './plan-problems.ts';

/** The ways in which a plan can be printed. */
export const planFormats = ['text', 'markdown', 'json', 'github', 'sarif'] as const;
export type PlanFormat = (typeof planFormats)[number];

export interface PlanRequest extends PlanOptions {
  /** Undefined: there was no config before. */
  readonly base: Folder | undefined;
  readonly head: Folder;
}

interface Folder {
  readonly root: string;
  readonly label: string;
}

export type PlanResult =
  | { readonly ok: true; readonly plan: Plan; readonly sources: { readonly base: Sources; readonly head: Sources } }
  /** One of the configs has errors. */
  | {
      readonly ok: false;
      readonly side: 'base' | 'head';
      readonly problems: readonly Problem[];
      readonly sources: Sources;
    };

/** Opens both config folders and compares them. */
export async function runPlan({ base, head, ...options }: PlanRequest): Promise<PlanResult> {
  const opened = await openConfig(head.root);
  if (!opened.ok) return { ...opened, side: 'head' };
  try {
    const before = base && (await openConfig(base.root));
    if (before?.ok === false) return { ...before, side: 'base' };
    try {
      const old = before && base && { ...before, ...base };
      const plan = await makePlan(old, { ...opened, ...head }, options);
      return { ok: true, plan, sources: { base: before?.sources ?? new Map(), head: opened.sources } };
    } finally {
      await before?.close();
    }
  } finally {
    await opened.close();
  }
}

/** What is gone stands in the base, all else in the head. */
export function mergedSources({ base, head }: { readonly base: Sources; readonly head: Sources }): Sources {
  return new Map([...base, ...head]);
}

/** Prints a plan in one of the formats. */
export function formatPlan(plan: Plan, sources: Sources, format: PlanFormat, color = false): string {
  switch (format) {
    case 'text':
      return formatPlanText(plan, sources, color);
    case 'markdown':
      return formatPlanMarkdown(plan, sources);
    case 'json':
      return formatPlanJson(plan, sources);
    case 'github':
    case 'sarif':
      return formatProblems(planProblems(plan), sources, { format });
  }
}
