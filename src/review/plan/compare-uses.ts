import { isDeepStrictEqual } from 'node:util';
import type { StageUse } from '../../config/model.ts';
import type { Place } from '../../diagnostics/problem.ts';
import { changedOptions, factsOf, isSameUse } from '../meaning/use-facts.ts';
import { changedFiles, type NamedFile } from '../named-files/named-files.ts';
import { describeAuth, describeUse, describeValue, oneLine } from '../words.ts';
import type { StructureDetail } from './plan.ts';

/** What changes in a stage: the plugin with its options, or the options of the same plugin one by one. */
export function compareUse(
  what: string,
  before: StageUse | undefined,
  after: StageUse | undefined,
  fallback: Place,
): readonly StructureDetail[] {
  if (isSameUse(before, after)) return [];
  const place = after?.place ?? fallback;
  if (before === undefined || after === undefined || before.uses !== after.uses) {
    return [{ what, before: before && describeUse(before), after: after && describeUse(after), place }];
  }
  const options = changedOptions(before, after).map((name) => ({
    what: `${what}: ${after.uses} ${name}`,
    before: describeOption(before, name),
    after: describeOption(after, name),
    place: name in after.with ? after.optionPlaces(`/${name}`) : place,
  }));
  const files = changedFiles(factsOf(before).files, factsOf(after).files).map((file) =>
    fileDetail(`${what}: ${after.uses} ${file.option}`, file, after.optionPlaces(`/${file.option}`)),
  );
  return [...options, ...files];
}

/** A file that is named as before and holds something else. */
export function fileDetail(what: string, { written, digest }: NamedFile, place: Place): StructureDetail {
  const name = `file ${oneLine(written)}`;
  return { what, before: name, after: `${name} ${digest === undefined ? '(missing)' : 'with other content'}`, place };
}

/** What changes in a list of auth plugins: one by one if the same are asked in the same order, else the whole list. */
export function compareAuth(
  what: string,
  before: readonly StageUse[] | undefined,
  after: readonly StageUse[],
  fallback: Place,
): readonly StructureDetail[] {
  const names = (uses: readonly StageUse[] = []) => uses.map(({ uses: name }) => name);
  if (isDeepStrictEqual(names(before), names(after))) {
    return after.flatMap((use, index) => compareUse(what, before?.[index], use, fallback));
  }
  return [
    { what, before: before && describeAuth(before), after: describeAuth(after), place: after[0]?.place ?? fallback },
  ];
}

function describeOption(use: StageUse, name: string): string | undefined {
  return name in use.with ? describeValue(use.with[name], name) : undefined;
}

/** What changes in a value that needs no words of its own. */
export function compareValue(
  what: string,
  before: unknown,
  after: unknown,
  place: Place,
  show: (value: unknown) => string | undefined = shown,
): readonly StructureDetail[] {
  if (isDeepStrictEqual(before, after)) return [];
  return [{ what, before: show(before), after: show(after), place }];
}

function shown(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  return oneLine(typeof value === 'string' ? value : JSON.stringify(value));
}

/** Milliseconds as they are written in YAML: the largest unit that keeps them whole. */
export function showDuration(value: unknown): string | undefined {
  return inUnits(value, durationUnits);
}

/** Bytes as they are written in YAML. */
export function showSize(value: unknown): string | undefined {
  return inUnits(value, sizeUnits);
}

type Units = readonly (readonly [unit: string, size: number])[];

const durationUnits: Units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
];
const sizeUnits: Units = [
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
  ['B', 1],
];

function inUnits(value: unknown, units: Units): string | undefined {
  if (typeof value !== 'number') return undefined;
  const [unit, size] = units.find(([, one]) => value !== 0 && value % one === 0) ?? units.at(-1) ?? ['', 1];
  return `${value / size}${unit}`;
}
