import { counted } from '../words.ts';
import { type Behaviour, isEmptyPlan, type Plan, type StructureChange } from './plan.ts';

/** A plan in one line. */
export function summaryLine(plan: Plan): string {
  const { structure, warnings, behaviour } = plan;
  if (isEmptyPlan(plan) && warnings.length === 0) {
    return `No changes${behaviour === undefined ? '' : `; ${behaviourSummary(behaviour)}`}`;
  }
  const changed = behaviour === undefined || behaviour.changed === 0 ? [] : [behaviourSummary(behaviour)];
  const warned = warnings.length === 0 ? [] : [counted(warnings.length, 'warning')];
  return [...structureSummary(structure), ...changed, ...warned].join('; ');
}

const subjects = ['gateway', 'project', 'key', 'trigger'] as const;

/** `1 trigger added, 2 changed` for each subject that changes. */
function structureSummary(structure: readonly StructureChange[]): readonly string[] {
  return subjects.flatMap((subject) => {
    const ofSubject = structure.filter((change) => change.subject === subject);
    const parts = (['added', 'changed', 'removed'] as const).flatMap((action) => {
      const count = ofSubject.filter((change) => change.action === action).length;
      return count === 0 ? [] : [{ count, action }];
    });
    const [first, ...others] = parts;
    if (first === undefined) return [];
    const noun = subject === 'gateway' ? 'gateway' : counted(first.count, subject);
    return [[`${noun} ${first.action}`, ...others.map(({ count, action }) => `${count} ${action}`)].join(', ')];
  });
}

/** `12 of 500 requests change: 10 newly accepted, 2 no longer accepted` */
export function behaviourSummary({ requests, changed, newlyAccepted, noLongerAccepted }: Behaviour): string {
  if (changed === 0) return `none of ${counted(requests, 'request')} ${requests === 1 ? 'changes' : 'change'}`;
  const parts = [
    ...(newlyAccepted > 0 ? [`${newlyAccepted.toLocaleString('en')} newly accepted`] : []),
    ...(noLongerAccepted > 0 ? [`${noLongerAccepted.toLocaleString('en')} no longer accepted`] : []),
  ];
  const detail = parts.length === 0 ? '' : `: ${parts.join(', ')}`;
  const verb = changed === 1 ? 'changes' : 'change';
  return `${changed.toLocaleString('en')} of ${counted(requests, 'request')} ${verb}${detail}`;
}

/** Caveats to know before trusting what the requests show. */
export function behaviourNotes({ recorded, asRecorded, masked, notJudged, outcomeOnly }: Behaviour): readonly string[] {
  const other = recorded - asRecorded;
  return [
    ...(outcomeOnly > 0
      ? [
          `${counted(outcomeOnly, 'request')} ${outcomeOnly === 1 ? 'was' : 'were'} recorded for being dropped, limited or failed: these show what changes, not how often.`,
        ]
      : []),
    ...(other > 0
      ? [
          `${counted(other, 'request')} had a different verdict when recorded than with the base config: recorded under another config, or only a sample of them was kept.`,
        ]
      : []),
    ...notJudged.map(
      ({ reason, count }) => `${counted(count, 'request')} ${count === 1 ? 'is' : 'are'} not judged: ${reason}.`,
    ),
    ...(masked > 0
      ? [
          `${counted(masked, 'request')} ${masked === 1 ? 'has' : 'have'} masked values: filters that read them cannot be predicted.`,
        ]
      : []),
  ];
}

/** What to know of the base before trusting the comparison; undefined if it is whole. */
export function baseNote({ faults, revision }: Plan['base']): string | undefined {
  if (faults === 0) return undefined;
  const compared =
    revision === undefined ? 'nothing of it can be compared: everything is new' : 'only its valid part is compared';
  return `The base has ${counted(faults, 'error')}; ${compared}.`;
}
