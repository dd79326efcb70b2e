import type { NamedUse, TriggerConfig } from '../../config/model.ts';
import { triggerName } from '../../config/trigger-key.ts';
import type { DiagnosticCode } from '../../diagnostics/codes.ts';
import type { Place } from '../../diagnostics/problem.ts';
import { isOpen, letsEveryoneIn, type ReviewedAuth } from '../reviewed-auth.ts';
import { oneLine } from '../words.ts';
import { isSameUse } from './compare-uses.ts';
import type { Widening } from './plan.ts';

/** A trigger, and what its auth plugins say of their callers. */
export interface ReviewedTrigger {
  readonly config: TriggerConfig;
  readonly auths: readonly ReviewedAuth[];
}

/** What a trigger opens that was closed before. */
export function triggerWidenings(before: ReviewedTrigger | undefined, after: ReviewedTrigger): readonly Widening[] {
  const { config } = after;
  const name = `trigger ${triggerName(config)}`;
  const opened = before !== undefined && isOpen(before.auths) ? [] : after.auths.filter(letsEveryoneIn);
  const open = opened.map(({ use }) => widening('auth_none', `${name} lets everyone in`, use.place));
  const isShared = config.sessions.scope === 'trigger' && before?.config.sessions.scope !== 'trigger';
  const words = `callers of ${name} can continue each other's conversations`;
  const shared = isShared ? [widening('sessions_shared', words, config.sessions.place ?? config.place)] : [];
  if (before === undefined) return [...open, ...shared];
  const old = before.config;
  const warnIf = (isWider: boolean, code: DiagnosticCode, message: string): readonly Widening[] =>
    isWider ? [widening(code, message, config.place)] : [];
  return [
    ...warnIf(
      old.status === 'paused' && config.status === 'active',
      'trigger_activated',
      `${name} was paused and accepts requests again`,
    ),
    ...open,
    ...changedAuth(before.auths, after.auths).map(({ words, place }) =>
      widening('auth_changed', `${name} identifies callers by ${words}`, place),
    ),
    ...warnIf(
      old.dedup !== undefined && config.dedup === undefined,
      'dedup_off',
      `${name} accepts duplicates: dedup was removed`,
    ),
    ...shared,
    ...removedFilters(old, config).map((message) => widening(message.code, `${name} ${message.words}`, config.place)),
    ...unmasked(old, config).map((pointer) =>
      widening('mask_removed', `${name} stores ${pointer} unmasked`, config.place),
    ),
  ];
}

export function widening(code: DiagnosticCode, message: string, place: Place): Widening {
  return { code, message, place };
}

/**
 * Auth plugins by which callers are identified that were not before: a plugin that was not asked, or that has other
 * options. Where callers are declared keys, options say only where a request carries the key; and a plugin that lets
 * everyone in has a warning of its own.
 */
function changedAuth(before: readonly ReviewedAuth[], after: readonly ReviewedAuth[]) {
  const changed = after.filter((auth) => !letsEveryoneIn(auth) && !before.some(({ use }) => isSameUse(use, auth.use)));
  return changed.flatMap(({ use, callers }) => {
    const isNew = !before.some((old) => old.use.uses === use.uses);
    if (!isNew && callers?.kind === 'declared') return [];
    return [{ words: isNew ? `auth ${use.uses}` : `other options of auth ${use.uses}`, place: use.place }];
  });
}

function removedFilters({ filter: before }: TriggerConfig, { filter: after }: TriggerConfig) {
  if (before.length > 0 && after.length === 0) {
    return [{ code: 'filters_gone', words: 'accepts every request: its filters were removed' } as const];
  }
  const removed = before.filter((filter) => !isKept(filter, after));
  return removed.map(
    ({ name }) => ({ code: 'filter_removed', words: `no longer has filter "${oneLine(name)}"` }) as const,
  );
}

/** A filter that has another name, and the same options, is still there. */
function isKept(filter: NamedUse, after: readonly NamedUse[]): boolean {
  return after.some((one) => one.name === filter.name || isSameUse(one, filter));
}

/** JSON pointers at which a value was masked before, in runs or in recorded requests. */
function unmasked(before: TriggerConfig, after: TriggerConfig): readonly string[] {
  const inRuns = before.record.mask.filter((pointer) => !after.record.mask.includes(pointer));
  const { recording } = after;
  const recorded = before.recording?.mask ?? [];
  const inRecordings = recording === undefined ? [] : recorded.filter((pointer) => !recording.mask.includes(pointer));
  return [...new Set([...inRuns, ...inRecordings])];
}
