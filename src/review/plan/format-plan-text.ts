import pc from 'picocolors';
import { describePlace } from '../../diagnostics/describe-place.ts';
import type { Sources } from '../../diagnostics/source.ts';
import { counted, oneLine } from '../words.ts';
import { type Alike, mergeAlike, warningKey } from './alike.ts';
import { limitHead, limitLines, sampleNote, triggerLines } from './impact/impact-words.ts';
import { isEmptyPlan, type Plan, type StructureChange, type StructureDetail, type Witness } from './plan.ts';
import { mergeShared, type PrintedChange } from './shared-details.ts';
import { baseNote, behaviourNotes, behaviourSummary, summaryLine } from './summary.ts';
import { witnessKey } from './witness-key.ts';

type Colors = ReturnType<typeof pc.createColors>;

/** Prints a plan for a terminal. */
export function formatPlanText(plan: Plan, sources: Sources, color: boolean): string {
  const colors = pc.createColors(color);
  const note = baseNote(plan.base);
  const sides = `${plan.base.label} → ${plan.head.label}${note === undefined ? '' : `\n${note}`}`;
  const head = `${colors.bold(summaryLine(plan))}\n${sides}`;
  if (isEmptyPlan(plan) && plan.warnings.length === 0) return `${head}\n`;
  const section = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : [`${colors.bold(title)}\n${lines.join('\n')}`];
  return `${[
    head,
    ...section(
      'Warnings',
      mergeAlike(plan.warnings, warningKey).map(
        ({ one: { message, place }, triggers }) =>
          `  ${colors.yellow('!')} ${message}${others(triggers)}  ${colors.dim(describePlace(place, sources))}`,
      ),
    ),
    ...section(
      'Changes',
      mergeShared(plan.structure).flatMap((change) => structureLines(change, colors, sources)),
    ),
    ...section(
      'Access',
      plan.access.flatMap(({ caller, gains, loses }) => [
        ...listed(`  ${caller} gains `, gains, (line) => colors.green(line)),
        ...listed(`  ${caller} loses `, loses, (line) => colors.red(line)),
      ]),
    ),
    ...section('Requests', behaviourLines(plan, colors)),
    ...section('Limits and usage', impactLines(plan, colors, sources)),
    ...section('Counterexamples', mergeAlike(plan.witnesses, witnessKey).flatMap(witnessLines)),
  ].join('\n\n')}\n`;
}

const marks = { added: '+', removed: '-', changed: '~' } as const;

function structureLines(
  { subject, ids, action, details, place }: PrintedChange,
  colors: Colors,
  sources: Sources,
): string[] {
  const paint = { added: colors.green, removed: colors.red, changed: colors.yellow }[action];
  const at = action === 'removed' ? '' : `  ${colors.dim(describePlace(place, sources))}`;
  const name = ids.length === 1 ? `${subject} ${ids[0]}` : `${counted(ids.length, subject)} alike: ${named(ids)}`;
  return [
    `  ${paint(`${marks[action]} ${name}`)}${at}`,
    ...details.map((detail) => `      ${detailWords(detail, action)}`),
  ];
}

/** `respond: wait 30s → accepted`; for something new, only the new value. */
export function detailWords({ what, before, after }: StructureDetail, action: StructureChange['action']): string {
  if (action === 'added') return `${what}: ${after ?? 'none'}`;
  return `${what}: ${before ?? 'none'} → ${after ?? 'none'}`;
}

/** How many triggers a line names. */
const mostListed = 20;

function listed(head: string, triggers: readonly string[], paint: (line: string) => string): string[] {
  if (triggers.length === 0) return [];
  return [paint(`${head}${named(triggers)}`)];
}

function named(triggers: readonly string[]): string {
  const more = triggers.length > mostListed ? ` and ${triggers.length - mostListed} more` : '';
  return `${triggers.slice(0, mostListed).join(', ')}${more}`;
}

function behaviourLines({ behaviour }: Plan, colors: Colors): string[] {
  if (behaviour === undefined) return [];
  return [
    `  ${behaviourSummary(behaviour)}`,
    ...behaviourNotes(behaviour).map((note) => `  ${colors.dim(note)}`),
    ...behaviour.groups.flatMap(({ trigger, before, after, count, samples }) => [
      `  ${colors.bold(String(count))} of ${trigger}: ${before} → ${after}`,
      ...samples.map(({ id, caller, body }) => {
        const shown = body === undefined ? '' : `  ${JSON.stringify(body)}`;
        return `      ${colors.dim(id)}${caller === undefined ? '' : ` by ${caller}`}${shown}`;
      }),
    ]),
  ];
}

function impactLines({ impact }: Plan, colors: Colors, sources: Sources): string[] {
  if (impact === undefined) return [];
  const indented = (lines: readonly string[]) => lines.map((line) => `      ${line}`);
  const note = sampleNote(impact.triggers);
  return [
    ...(note === undefined ? [] : [`  ${colors.dim(note)}`]),
    ...impact.limits.flatMap((limit) => [
      `  ${colors.bold(limitHead(limit))}  ${colors.dim(describePlace(limit.place, sources))}`,
      ...indented(limitLines(limit)),
    ]),
    ...impact.triggers.flatMap((one) => [`  ${colors.bold(one.trigger)}`, ...indented(triggerLines(one))]),
  ];
}

/** Where one warning stands for many. */
function others(triggers: readonly string[]): string {
  const [, ...more] = triggers;
  return more.length === 0 ? '' : ` (${counted(more.length, 'more trigger')} alike: ${named(more)})`;
}

function witnessLines({ one: { trigger, filter, found, tried }, triggers }: Alike<Witness>): string[] {
  const where =
    triggers.length > 1 ? `${counted(triggers.length, 'trigger')} alike: ${named(triggers)};` : `${trigger},`;
  const head = `  ${where} filter "${oneLine(filter)}":`;
  if (found === undefined) return [`${head} none found (${counted(tried, 'body', 'bodies')} tried)`];
  return [`${head} ${found.before} → ${found.after}`, `      ${JSON.stringify(found.body)}`];
}
