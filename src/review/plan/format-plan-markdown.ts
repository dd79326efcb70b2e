import { describePlace } from '../../diagnostics/describe-place.ts';
import type { Sources } from '../../diagnostics/source.ts';
import { counted } from '../words.ts';
import type { AccessChange, Behaviour, BehaviourGroup, Plan, StructureChange, Witness } from './plan.ts';
import { behaviourNotes, behaviourSummary, summaryLine } from './summary.ts';

/** The first line, by which a comment is found again to be updated. */
const marker = '<!-- pullcord plan -->';

/** Prints a plan as a comment of a pull request: a summary, warnings, and the details folded. */
export function formatPlanMarkdown(plan: Plan, sources: Sources): string {
  const blocks = [
    `${marker}\n### Pullcord: ${plain(summaryLine(plan))}`,
    `${inline(plan.base.label)} → ${inline(plan.head.label)}`,
    ...warningBlock(plan, sources),
    ...(plan.structure.length === 0 ? [] : [plan.structure.map(structureItem).join('\n')]),
    ...accessBlock(plan.access),
    ...behaviourBlock(plan.behaviour),
    ...witnessBlock(plan.witnesses),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function warningBlock({ warnings }: Plan, sources: Sources): string[] {
  if (warnings.length === 0) return [];
  const lines = warnings.map(
    ({ message, place }) => `> - ${plain(message)} (${inline(describePlace(place, sources))})`,
  );
  return [['> [!WARNING]', ...lines].join('\n')];
}

const words = { added: 'new', removed: 'removed', changed: 'changed' } as const;

function structureItem({ subject, id, action, details }: StructureChange): string {
  const head = `- **${subject} ${inline(id)}**: ${words[action]}`;
  return [
    head,
    ...details.map(({ what, before, after }) => {
      const came = action === 'added' ? '' : `${before === undefined ? 'none' : inline(before)} → `;
      return `  - ${plain(what)}: ${came}${after === undefined ? 'none' : inline(after)}`;
    }),
  ].join('\n');
}

/** How many triggers a line names. */
const mostListed = 50;

function accessBlock(access: readonly AccessChange[]): string[] {
  if (access.length === 0) return [];
  const gained = access.filter(({ gains }) => gains.length > 0).length;
  const lost = access.filter(({ loses }) => loses.length > 0).length;
  const parts = [
    ...(gained > 0 ? [`${counted(gained, 'caller')} ${gained === 1 ? 'gains' : 'gain'}`] : []),
    ...(lost > 0 ? [`${counted(lost, 'caller')} ${lost === 1 ? 'loses' : 'lose'}`] : []),
  ];
  const rows = access.map(
    ({ caller, gains, loses }) => `| ${cell(inline(caller))} | ${listed(gains)} | ${listed(loses)} |`,
  );
  return [
    details(
      `Access: ${parts.join(', ')}`,
      ['| Caller | May fire now | May not any more |', '| - | - | - |', ...rows].join('\n'),
    ),
  ];
}

function listed(triggers: readonly string[]): string {
  const more = triggers.length > mostListed ? ` and ${triggers.length - mostListed} more` : '';
  return cell(`${triggers.slice(0, mostListed).map(inline).join(', ')}${more}`);
}

function behaviourBlock(behaviour: Behaviour | undefined): string[] {
  if (behaviour === undefined) return [];
  const notes = behaviourNotes(behaviour).map((note) => `\n\n${note}`);
  if (behaviour.changed === 0) return [`Requests: ${behaviourSummary(behaviour)}.${notes.join('')}`];
  const rows = behaviour.groups.map(groupRow);
  const table = ['| Requests | Trigger | Before | After | Such as |', '| -: | - | - | - | - |', ...rows].join('\n');
  return [details(`Requests: ${behaviourSummary(behaviour)}`, `${table}${notes.join('')}`)];
}

function groupRow({ trigger, before, after, count, samples }: BehaviourGroup): string {
  const shown = samples
    .slice(0, 3)
    .map(({ id, body }) => (body === undefined ? inline(id) : `${inline(id)} ${inline(JSON.stringify(body))}`));
  return `| ${count} | ${cell(inline(trigger))} | ${cell(plain(before))} | ${cell(plain(after))} | ${cell(shown.join('<br>'))} |`;
}

function witnessBlock(witnesses: readonly Witness[]): string[] {
  if (witnesses.length === 0) return [];
  const found = witnesses.filter((witness) => witness.found !== undefined).length;
  const items = witnesses.map(({ trigger, filter, found: witness, tried }) => {
    const head = `- ${inline(trigger)}, filter ${inline(filter)}:`;
    if (witness === undefined) return `${head} none found (${counted(tried, 'body', 'bodies')} tried)`;
    return `${head} ${plain(witness.before)} → ${plain(witness.after)}\n  ${inline(JSON.stringify(witness.body))}`;
  });
  const title = `Made-up requests: ${found} of ${counted(witnesses.length, 'changed filter')} told apart`;
  return [details(title, items.join('\n'))];
}

function details(summary: string, content: string): string {
  return `<details><summary>${html(summary)}</summary>\n\n${content}\n\n</details>`;
}

/** A code span that nothing in the text can end: names and values of a config must not become markup. */
function inline(text: string): string {
  const line = text.replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069]+/gu, ' ');
  const longest = Math.max(0, ...[...line.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  const space = line === '' || /^`|`$|^ .* $/.test(line) ? ' ' : '';
  return `${fence}${space}${line}${space}${fence}`;
}

/** Words with names in them, without what Markdown, HTML or a mention could be made of. */
function plain(text: string): string {
  return html(text.replace(/[\p{Cc}\u2028-\u202e\u2066-\u2069]+/gu, ' '))
    .replace(/[\\`*_[\]#|~!]/g, '\\$&')
    .replaceAll('@', '@\u200b');
}

function html(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** A pipe would end the cell, also inside a code span. */
function cell(text: string): string {
  return text.replace(/(?<!\\)\|/g, '\\|');
}
