import { formatProblems } from '../../diagnostics/format.ts';
import type { FormatOptions } from '../../diagnostics/formats.ts';
import type { Problem } from '../../diagnostics/problem.ts';
import type { Sources } from '../../diagnostics/source.ts';
import type { Foreign } from '../git/git-base.ts';
import { type OpenConfig, openConfig, openValidPart } from '../open-config.ts';
import { formatPlanJson } from './format-plan-json.ts';
import { formatPlanMarkdown } from './format-plan-markdown.ts';
import { formatPlanText } from './format-plan-text.ts';
import type { PlanFormat } from './formats.ts';
import { makePlan, type PlanOptions } from './make-plan.ts';
import type { Plan } from './plan.ts';
import { planProblems } from './plan-problems.ts';
import { planSide } from './plan-side.ts';
import { type ShownFolder, showPlace, showPlaces, showSources } from './shown-places.ts';

export interface PlanRequest extends PlanOptions {
  /** Undefined: there was no config before. */
  readonly base: Folder | undefined;
  readonly head: Folder;
}

interface Folder extends ShownFolder {
  readonly label: string;
  /** Of a base that is a git revision: which files are not part of what is compared. */
  readonly foreign?: Foreign | undefined;
}

export type PlanResult =
  | {
      readonly ok: true;
      readonly plan: Plan;
      readonly sources: Sources;
      /** Errors of the base, of which only the valid part was compared. */
      readonly baseFaults: Faults | undefined;
    }
  /** The head has errors. */
  | ({ readonly ok: false } & Faults);

interface Faults {
  readonly problems: readonly Problem[];
  readonly sources: Sources;
}

/** Opens both config folders and compares them. A base with errors must not keep a change from being reviewed that corrects them. */
export async function runPlan({ base, head, ...options }: PlanRequest): Promise<PlanResult> {
  const opened = await openConfig(head.root);
  if (!opened.ok) return opened;
  try {
    const before = base && (await openBase(base));
    try {
      const { foreign } = base ?? {};
      const old =
        before?.opened && base && (await planSide(before.opened, { ...base, faults: before.count }, foreign?.base));
      const now = await planSide(opened, { ...head, faults: 0 }, await foreign?.head());
      const made = await makePlan(old, now, options);
      const plan = before && base && old === undefined ? withFaultyBase(made, base, before.count) : made;
      const baseFaults = before?.faults;
      if (before?.opened === undefined || base === undefined) {
        return { ok: true, plan, sources: opened.sources, baseFaults };
      }
      // Removed declarations are in the base, all others in the head.
      const sources = new Map([...showSources(before.opened.sources, base), ...opened.sources]);
      return { ok: true, plan: showPlaces(plan, base), sources, baseFaults };
    } finally {
      await before?.opened?.close();
    }
  } finally {
    await opened.close();
  }
}

interface OpenedBase {
  /** Undefined if nothing of it could be served. */
  readonly opened: OpenConfig | undefined;
  readonly faults: Faults | undefined;
  /** The number of its errors. */
  readonly count: number;
}

async function openBase(base: Folder): Promise<OpenedBase> {
  const opened = await openConfig(base.root);
  if (opened.ok) return { opened, faults: undefined, count: 0 };
  const { problems, sources } = opened;
  const shown = problems.map((problem) => ({ ...problem, place: showPlace(problem.place, base) }));
  return {
    opened: await openValidPart(base.root),
    faults: { problems: shown, sources: showSources(sources, base) },
    count: problems.filter(({ severity }) => severity === 'error').length,
  };
}

function withFaultyBase(plan: Plan, { label }: Folder, faults: number): Plan {
  return { ...plan, base: { label, revision: undefined, faults } };
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
