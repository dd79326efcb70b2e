import { isDeepStrictEqual } from 'node:util';
import type { CallbackConfig, NamedUse, RunUse, TriggerConfig } from '../../config/model.ts';
import type { Place } from '../../diagnostics/problem.ts';
import { describeUse, describeValue, oneLine } from '../words.ts';
import { compareAuth, compareUse, compareValue, isSameUse, showDuration } from './compare-uses.ts';
import type { StructureDetail } from './plan.ts';

/** What changes in a trigger, defaults of its project and gateway included; of a new one, what it has. */
export function triggerDetails(before: TriggerConfig | undefined, after: TriggerConfig): readonly StructureDetail[] {
  const { place } = after;
  return [
    ...(before === undefined && after.status === 'active'
      ? []
      : compareValue('status', before?.status, after.status, place)),
    ...compareValue('key', before?.key ?? after.key, after.key, place),
    ...(before === undefined ? [] : compareValue('name', before.name, after.name, place)),
    ...compareAuth('auth', before?.auth, after.auth, place),
    ...compareFilters(before?.filter ?? [], after.filter, place),
    ...compareUse('dedup', before?.dedup, after.dedup, place),
    ...compareUse('run', before?.run, after.run, place),
    ...(before === undefined ? [] : compareLimits(before.run, after.run)),
    ...compareUse('respond', before?.respond, after.respond, place),
    ...compareCallback(before?.callback, after.callback, place),
    ...compareValue('record keep', before?.record.keep ?? 'full', after.record.keep, place),
    ...compareValue('record mask', before?.record.mask ?? [], after.record.mask, place),
    ...compareValue('recording', before?.recording, after.recording, place, showRecording),
    ...(before === undefined
      ? []
      : compareValue('sessions ttl', before.sessionTtlMs, after.sessionTtlMs, place, showDuration)),
  ];
}

/** How a filter changes between two triggers. */
export interface FilterChange {
  readonly name: string;
  readonly before: NamedUse | undefined;
  readonly after: NamedUse | undefined;
}

/** Filters by name, those that changed; one that got another name and kept its options did not. */
export function changedFilters(before: readonly NamedUse[], after: readonly NamedUse[]): readonly FilterChange[] {
  const renamed = renamedFilters(before, after).flatMap(({ from, to }) => [from, to]);
  const names = [...new Set([...before, ...after].map(({ name }) => name))];
  return names
    .map((name) => ({ name, before: named(before, name), after: named(after, name) }))
    .filter((change) => !isSameUse(change.before, change.after))
    .filter((change) => !renamed.some((filter) => filter === change.before || filter === change.after));
}

/** Filters whose name is gone and whose options stand under a name that is new. */
function renamedFilters(before: readonly NamedUse[], after: readonly NamedUse[]) {
  const added = after.filter(({ name }) => named(before, name) === undefined);
  return before.flatMap((from) => {
    const to = named(after, from.name) === undefined ? added.find((filter) => isSameUse(filter, from)) : undefined;
    if (to !== undefined) added.splice(added.indexOf(to), 1);
    return to === undefined ? [] : [{ from, to }];
  });
}

function named(filters: readonly NamedUse[], name: string): NamedUse | undefined {
  return filters.find((filter) => filter.name === name);
}

function compareFilters(
  before: readonly NamedUse[],
  after: readonly NamedUse[],
  place: Place,
): readonly StructureDetail[] {
  const details = changedFilters(before, after).flatMap(({ name, before: old, after: now }) => {
    const what = `filter "${oneLine(name)}"`;
    const at = now?.place ?? place;
    if (old === undefined || now === undefined || old.uses !== now.uses) {
      return [{ what, before: old && describeFilter(old), after: now && describeFilter(now), place: at }];
    }
    return compareUse(what, old, now, place).map((detail) => ({
      ...detail,
      what: detail.what.replace(`${what}: jsonata expression`, what),
    }));
  });
  const order = (filters: readonly NamedUse[], others: readonly NamedUse[]) =>
    filters.map(({ name }) => name).filter((name) => others.some((other) => other.name === name));
  const renamed = renamedFilters(before, after).map(({ from, to }) => ({
    ...{
      what: `filter "${oneLine(to.name)}"`,
      before: `named ${oneLine(from.name)}`,
      after: `named ${oneLine(to.name)}`,
      place: to.place,
    },
  }));
  return [
    ...renamed,
    ...details,
    ...compareValue('order of filters', order(before, after), order(after, before), place, (names) =>
      (names as readonly string[]).join(', '),
    ),
  ];
}

/** A jsonata filter is its expression. */
function describeFilter(use: NamedUse): string {
  const { expression, ...others } = use.with;
  const isPlain = use.uses === 'jsonata' && Object.keys(others).length === 0;
  return isPlain ? describeValue(expression) : describeUse(use);
}

function compareLimits(before: RunUse, after: RunUse): readonly StructureDetail[] {
  const { place } = after;
  return [
    ...compareValue('run concurrency', before.concurrency, after.concurrency, place),
    ...compareValue('run timeout', before.timeoutMs, after.timeoutMs, place, showDuration),
    ...compareValue('run retry', before.retry, after.retry, place, (retry) => {
      const { attempts, backoffMs, maxMs } = retry as RunUse['retry'];
      if (attempts === 1) return 'none';
      return `${attempts} attempts, ${showDuration(backoffMs)} to ${showDuration(maxMs)} apart`;
    }),
  ];
}

function compareCallback(
  before: CallbackConfig | undefined,
  after: CallbackConfig | undefined,
  place: Place,
): readonly StructureDetail[] {
  const show = (callback: CallbackConfig | undefined) =>
    callback && `${describeValue(callback.url)} signed with ${describeValue({ ...callback.secret })}`;
  const isSame = before?.url === after?.url && isDeepStrictEqual(before?.secret, after?.secret);
  return isSame ? [] : [{ what: 'callback', before: show(before), after: show(after), place: after?.place ?? place }];
}

function showRecording(recording: unknown): string | undefined {
  if (recording === undefined) return undefined;
  const { rate, mask, count, ageMs } = recording as NonNullable<TriggerConfig['recording']>;
  const bounds = [count === undefined ? [] : `${count} kept`, ageMs === undefined ? [] : `for ${showDuration(ageMs)}`];
  return [`${rate * 100} % of requests`, ...bounds.flat(), ...(mask.length > 0 ? [`mask ${mask.join(' ')}`] : [])].join(
    ', ',
  );
}
