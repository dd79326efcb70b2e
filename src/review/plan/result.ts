import { formatProblems } from '../../diagnostics/format.ts';
import type { FormatOptions } from '../../diagnostics/formats.ts';
import type { Problem } from '../../diagnostics/problem.ts';
import type { Sources } from '../../diagnostics/source.ts';
import { type FaultyConfig, openConfig } from '../open-config.ts';
import { formatPlanJson } from './format-plan-json.ts';
import { formatPlanMarkdown } from './format-plan-markdown.ts';
import { formatPlanText } from './format-plan-text.ts';
import type { PlanFormat } from './formats.ts';
import { makePlan, type PlanOptions } from './make-plan.ts';
import type { Plan } from './plan.ts';
import { planProblems } from './plan-problems.ts';
import { type ShownFolder, showPlace, showPlaces, showSources } from './shown-places.ts';

export interface PlanRequest extends PlanOptions {
  /** Undefined: there was no config before. */
  readonly base: Folder | undefined;
  readonly head: Folder;
}

interface Folder extends ShownFolder {
  readonly label: string;
}

export type PlanResult =
  | { readonly ok: true; readonly plan: Plan; readonly sources: Sources }
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
    if (before?.ok === false) return { ...faultyBase(before, base), side: 'base' };
    try {
      const old = before && base && { ...before, ...base };
      const plan = await makePlan(old, { ...opened, ...head }, options);
      if (before === undefined || base === undefined) return { ok: true, plan, sources: opened.sources };
      // Removed declarations are in the base, all others in the head.
      const sources = new Map([...showSources(before.sources, base), ...opened.sources]);
      return { ok: true, plan: showPlaces(plan, base), sources };
    } finally {
      await before?.close();
    }
  } finally {
    await opened.close();
  }
}

function faultyBase({ problems, sources }: FaultyConfig, base: Folder | undefined) {
  if (base === undefined) return { ok: false, problems, sources } as const;
  const shown = problems.map((problem) => ({ ...problem, place: showPlace(problem.place, base) }));
  return { ok: false, problems: shown, sources: showSources(sources, base) } as const;
}

export interface PlanFormatOptions extends Omit<FormatOptions, 'format'> {
  readonly format: PlanFormat;
}

/** Prints a plan in one of the formats. */
export function formatPlan(
  plan: Plan,
  sources: Sources,
  { format, color = false, ...printedFrom }: PlanFormatOptions,
): string {
  switch (format) {
    case 'text':
      return formatPlanText(plan, sources, color);
    case 'markdown':
      return formatPlanMarkdown(plan, sources);
    case 'json':
      return formatPlanJson(plan, sources);
    case 'github':
    case 'sarif':
      return formatProblems(planProblems(plan), sources, { ...printedFrom, format });
  }
}
