import type { NamedUse } from '../../config/model.ts';
import { descriptorOf } from '../../config/stages.ts';
import type { Stage } from '../../contract/index.ts';
import type { Place } from '../../diagnostics/problem.ts';
import { isSameUse } from '../meaning/use-facts.ts';
import { describeUse, describeValue, oneLine } from '../words.ts';
import { compareUse, compareValue } from './compare-uses.ts';
import type { StructureDetail } from './plan.ts';

/** How a use that has a name, e.g. a filter, changes between two triggers. */
export interface NamedChange {
  readonly name: string;
  readonly before: NamedUse | undefined;
  readonly after: NamedUse | undefined;
}

/** Uses by name, those that changed; one that got another name and kept its options did not. */
export function changedUses(before: readonly NamedUse[], after: readonly NamedUse[]): readonly NamedChange[] {
  const renamed = renamedUses(before, after).flatMap(({ from, to }) => [from, to]);
  const names = [...new Set([...before, ...after].map(({ name }) => name))];
  return names
    .map((name) => ({ name, before: named(before, name), after: named(after, name) }))
    .filter((change) => !isSameUse(change.before, change.after))
    .filter((change) => !renamed.some((use) => use === change.before || use === change.after));
}

/** Uses whose name is gone, and whose options are those of a new name. */
export function renamedUses(before: readonly NamedUse[], after: readonly NamedUse[]) {
  const added = after.filter(({ name }) => named(before, name) === undefined);
  return before.flatMap((from) => {
    const to = named(after, from.name) === undefined ? added.find((use) => isSameUse(use, from)) : undefined;
    if (to !== undefined) added.splice(added.indexOf(to), 1);
    return to === undefined ? [] : [{ from, to }];
  });
}

function named(uses: readonly NamedUse[], name: string): NamedUse | undefined {
  return uses.find((use) => use.name === name);
}

/** What changes in a stage whose uses have names: each by itself, and their order. */
export function compareNamed(
  stage: Stage,
  before: readonly NamedUse[],
  after: readonly NamedUse[],
  place: Place,
): readonly StructureDetail[] {
  const titled = (name: string) => `${stage} "${oneLine(name)}"`;
  const renamed = renamedUses(before, after).map(({ from, to }) => ({
    what: titled(to.name),
    before: `named ${oneLine(from.name)}`,
    after: `named ${oneLine(to.name)}`,
    place: to.place,
  }));
  const changed = changedUses(before, after).flatMap((change) => compareOne(stage, titled(change.name), change, place));
  const order = (uses: readonly NamedUse[], others: readonly NamedUse[]) =>
    uses.map(({ name }) => name).filter((name) => others.some((other) => other.name === name));
  return [
    ...renamed,
    ...changed,
    ...compareValue(`order of ${stage}s`, order(before, after), order(after, before), place, (names) =>
      (names as readonly string[]).join(', '),
    ),
  ];
}

function compareOne(
  stage: Stage,
  what: string,
  { before, after }: NamedChange,
  fallback: Place,
): readonly StructureDetail[] {
  const place = after?.place ?? fallback;
  if (before === undefined || after === undefined || before.uses !== after.uses) {
    const show = (use: NamedUse | undefined) => use && describeNamed(stage, use);
    return [{ what, before: show(before), after: show(after), place }];
  }
  const { short } = descriptorOf(stage);
  const main = typeof short === 'object' ? `${what}: ${short.uses} ${short.option}` : undefined;
  const details = compareUse(what, before, after, fallback);
  return details.map((detail) => (detail.what === main ? { ...detail, what } : detail));
}

/** A use that could be written in the short form is shown as its text. */
function describeNamed(stage: Stage, use: NamedUse): string {
  const { short } = descriptorOf(stage);
  if (typeof short !== 'object' || use.uses !== short.uses) return describeUse(use);
  const { [short.option]: text, ...others } = use.with;
  return Object.keys(others).length === 0 ? describeValue(text) : describeUse(use);
}
