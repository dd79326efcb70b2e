import { describePlace } from '../../diagnostics/describe-place.ts';
import type { Sources } from '../../diagnostics/source.ts';
import { counted } from '../words.ts';
import { mergeAlike, warningKey } from './alike.ts';
import type { Impact } from './impact/impact.ts';
import { limitHead, limitLines, sampleNote, triggerLines } from './impact/impact-words.ts';
import { details, inline, plain } from './markdown.ts';
import type { AccessChange, Behaviour, BehaviourGroup, Plan, StructureChange, Witness } from './plan.ts';
import { mergeShared, type PrintedChange } from './shared-details.ts';
import { baseNote, behaviourNotes, behaviourSummary, summaryLine } from './summary.ts';
import { witnessKey } from './witness-key.ts';

/** The first line, by which a comment is found again to be updated. */
const marker = '<!-- pullcord plan -->';
/** GitHub takes 65,536 characters in a comment, GitLab more. */
const mostCharacters = 60_000;
/** How many items a part lists, and how many triggers a line names. */
const mostItems = 100;
const mostNamed = 20;
/** More lines of changes than this are folded. */
const mostOpenLines = 20;

/** Prints a plan as a pull request comment: a summary, warnings, and the details folded. */
export function formatPlanMarkdown(plan: Plan, sources: Sources): string {
  const blocks = [
    `${marker}\n### Pullcord: ${plain(summaryLine(plan))}`,
    `${inline(plan.base.label)} → ${inline(plan.head.label)}`,
    ...[baseNote(plan.base)].filter((note) => note !== undefined),
    ...warningBlock(plan, sources),
    ...structureBlock(plan.structure),
    ...accessBlock(plan.access),
    ...behaviourBlock(plan.behaviour),
    ...impactBlock(plan.impact),
    ...witnessBlock(plan.witnesses),
  ];
  return `${fitting(blocks).join('\n\n')}\n`;
}

/** Whole blocks, up to the size of a comment. */
function fitting(blocks: readonly string[]): readonly string[] {
  const kept: string[] = [];
  let length = 0;
  for (const block of blocks) {
    length += block.length + 2;
    if (length > mostCharacters)
      return [...kept, '_The plan is longer than a comment may be: run `pullcord plan` to see the rest._'];
    kept.push(block);
  }
  return kept;
}

function warningBlock({ warnings }: Plan, sources: Sources): string[] {
  if (warnings.length === 0) return [];
  const lines = mergeAlike(warnings, warningKey).map(
    ({ one: { message, place }, triggers }) =>
      `${plain(message)}${others(triggers)} (${inline(describePlace(place, sources))})`,
  );
  return [['> [!WARNING]', ...limited(lines, 'warning').map((line) => `> - ${line}`)].join('\n')];
}

/** Where one warning stands for many. */
function others(triggers: readonly string[]): string {
  const [, ...more] = triggers;
  return more.length === 0 ? '' : `; ${counted(more.length, 'more trigger')} alike: ${named(more)}`;
}

function structureBlock(structure: readonly StructureChange[]): string[] {
  if (structure.length === 0) return [];
  const text = listOf(limited(mergeShared(structure).map(structureItem), 'change'));
  const isShort = text.split('\n').length <= mostOpenLines;
  return [details(`Changes: ${counted(structure.length, 'item')}`, text, isShort)];
}

const words = { added: 'new', removed: 'removed', changed: 'changed' } as const;

function structureItem({ subject, ids, action, details: parts }: PrintedChange): string {
  const [id = ''] = ids;
  const head =
    ids.length === 1
      ? `**${subject} ${inline(id)}**: ${words[action]}`
      : `**${counted(ids.length, subject)}**: ${words[action]} alike (${named(ids)})`;
  return [
    head,
    ...parts.map(({ what, before, after }) => {
      const came = action === 'added' ? '' : `${before === undefined ? 'none' : inline(before)} → `;
      return `  - ${plain(what)}: ${came}${after === undefined ? 'none' : inline(after)}`;
    }),
  ].join('\n');
}

function accessBlock(access: readonly AccessChange[]): string[] {
  if (access.length === 0) return [];
  const gained = access.filter(({ gains }) => gains.length > 0).length;
  const lost = access.filter(({ loses }) => loses.length > 0).length;
  const parts = [
    ...(gained > 0 ? [`${counted(gained, 'caller')} ${gained === 1 ? 'gains' : 'gain'}`] : []),
    ...(lost > 0 ? [`${counted(lost, 'caller')} ${lost === 1 ? 'loses' : 'lose'}`] : []),
  ];
  const items = access.flatMap(({ caller, gains, loses }) => [
    ...(gains.length > 0 ? [`${inline(caller)} may fire ${named(gains)}`] : []),
    ...(loses.length > 0 ? [`${inline(caller)} may no longer fire ${named(loses)}`] : []),
  ]);
  return [details(`Access: ${parts.join(', ')}`, listOf(limited(items, 'line')))];
}

function behaviourBlock(behaviour: Behaviour | undefined): string[] {
  if (behaviour === undefined) return [];
  const notes = behaviourNotes(behaviour).map((note) => `\n\n${note}`);
  if (behaviour.changed === 0) return [`Requests: ${behaviourSummary(behaviour)}.${notes.join('')}`];
  const items = limited(behaviour.groups.map(groupItem), 'group');
  return [details(`Requests: ${behaviourSummary(behaviour)}`, `${listOf(items)}${notes.join('')}`)];
}

function groupItem({ trigger, before, after, count, samples }: BehaviourGroup): string {
  const shown = samples
    .slice(0, 3)
    .map(({ id, body }) => `  - ${inline(id)}${body === undefined ? '' : ` ${inline(JSON.stringify(body))}`}`);
  const head = `**${count.toLocaleString('en')}** of ${inline(trigger)}: ${plain(before)} → ${plain(after)}`;
  return [head, ...shown].join('\n');
}

function impactBlock(impact: Impact | undefined): string[] {
  if (impact === undefined) return [];
  const item = (head: string, lines: readonly string[]) =>
    [head, ...lines.map((line) => `  - ${plain(line)}`)].join('\n');
  const items = [
    ...impact.limits.map((limit) => item(`**${plain(limitHead(limit))}**`, limitLines(limit))),
    ...impact.triggers.map((one) => item(`**${plain(one.trigger)}**`, triggerLines(one))),
  ];
  const refused = impact.limits.filter(({ refused: count, isRemoved }) => count > 0 && !isRemoved).length;
  const title = refused === 0 ? 'Limits and usage' : `Limits and usage: ${counted(refused, 'limit')} that refuse`;
  const note = sampleNote(impact.triggers);
  return [details(title, `${listOf(limited(items, 'item'))}${note === undefined ? '' : `\n\n${note}`}`)];
}

function witnessBlock(witnesses: readonly Witness[]): string[] {
  if (witnesses.length === 0) return [];
  const found = witnesses.filter((witness) => witness.found !== undefined).length;
  const items = mergeAlike(witnesses, witnessKey).map(({ one, triggers }) => {
    const { trigger, filter, found: witness, tried } = one;
    const where =
      triggers.length > 1 ? `${counted(triggers.length, 'trigger')} alike (${named(triggers)})` : inline(trigger);
    const head = `${where}, filter ${inline(filter)}:`;
    if (witness === undefined) return `${head} none found (${counted(tried, 'body', 'bodies')} tried)`;
    return `${head} ${plain(witness.before)} → ${plain(witness.after)}\n  - ${inline(JSON.stringify(witness.body))}`;
  });
  const title = `Counterexamples: found for ${found} of ${counted(witnesses.length, 'changed filter')}`;
  return [details(title, listOf(limited(items, 'filter')))];
}

function named(ids: readonly string[]): string {
  const more = ids.length > mostNamed ? ` and ${ids.length - mostNamed} more` : '';
  return `${ids.slice(0, mostNamed).map(inline).join(', ')}${more}`;
}

function listOf(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

function limited(items: readonly string[], noun: string): readonly string[] {
  if (items.length <= mostItems) return items;
  return [...items.slice(0, mostItems), `and ${counted(items.length - mostItems, `more ${noun}`)}`];
}
