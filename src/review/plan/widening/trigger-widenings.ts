import type { TriggerConfig } from '../../../config/model.ts';
import { sameTrigger, triggerName } from '../../../config/trigger-key.ts';
import type { DiagnosticCode } from '../../../diagnostics/codes.ts';
import { OriginSet } from '../../../runtime/origin-set.ts';
import type { LiveTrigger } from '../../../runtime/snapshot.ts';
import { hasSameOptions, isSameUse } from '../../meaning/use-facts.ts';
import { isOpen, letsEveryoneIn, type ReviewedAuth, servesVisitors } from '../../reviewed-auth.ts';
import { describeUse } from '../../words.ts';
import type { Widening } from '../plan.ts';
import { filterWidenings } from './filter-widenings.ts';
import { type StoringTrigger, storageWidenings } from './storage-widenings.ts';
import { notice, widening } from './widening.ts';

/** A trigger, and what its auth plugins say of their callers. */
export interface ReviewedTrigger extends StoringTrigger {
  readonly trigger: LiveTrigger;
  readonly auths: readonly ReviewedAuth[];
}

/**
 * What a trigger opens that was closed before.
 * @param before the same trigger, or the one that it replaces under another name
 */
export function triggerWidenings(before: ReviewedTrigger | undefined, after: ReviewedTrigger): readonly Widening[] {
  const { config } = after;
  const name = nameOf(before?.config, config);
  const opened = before !== undefined && isOpen(before.auths) ? [] : after.auths.filter(letsEveryoneIn);
  const open = opened.map(({ use }) => widening('auth_none', `${name} lets everyone in`, use.place));
  const visited = before?.auths.some(servesVisitors) ? [] : after.auths.filter(servesVisitors);
  const visitors = visited.map(({ use }) =>
    widening('auth_visitors', `${name} lets in every visitor of its pages`, use.place),
  );
  const isShared = config.sessions.scope === 'trigger' && before?.config.sessions.scope !== 'trigger';
  const words = `callers of ${name} can continue each other's conversations`;
  const shared = isShared ? [widening('sessions_shared', words, config.sessions.place ?? config.place)] : [];
  if (before === undefined) return [...open, ...visitors, ...shared];
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
    ...visitors,
    ...changedAuth(before.auths, after.auths).map(({ words, place }) =>
      widening('auth_changed', `${name} identifies callers by ${words}`, place),
    ),
    ...dedupWidenings(name, old, config),
    ...shared,
    ...corsWidenings(name, old, config),
    ...filterWidenings(name, before.trigger, after.trigger),
    ...warnIf(
      keeping.indexOf(config.record.keep) > keeping.indexOf(old.record.keep),
      'record_widened',
      `${name} stores more of its runs: record keep ${config.record.keep}, not ${old.record.keep}`,
    ),
    ...storageWidenings(name, before, after),
    ...unmasked(old, config).map((pointer) =>
      widening('mask_removed', `${name} stores ${pointer} unmasked`, config.place),
    ),
  ];
}

/** How much is stored of a run, the least first. */
const keeping: readonly TriggerConfig['record']['keep'][] = ['none', 'metadata', 'full'];

function nameOf(before: TriggerConfig | undefined, after: TriggerConfig): string {
  const name = `trigger ${triggerName(after)}`;
  const address = ({ project, key }: TriggerConfig) => ({ project: project.id, trigger: key });
  const isRenamed = before !== undefined && !sameTrigger(address(before), address(after));
  return isRenamed ? `${name} (formerly ${triggerName(before)})` : name;
}

/**
 * Auth plugins by which callers are identified that were not before: a plugin that was not asked, or that has other
 * options. Where callers are declared keys, options say only where a request carries the key; and a plugin that lets
 * everyone in, or visitors, has a warning of its own.
 */
function changedAuth(before: readonly ReviewedAuth[], after: readonly ReviewedAuth[]) {
  const changed = after.filter(
    (auth) => !letsEveryoneIn(auth) && !before.some(({ use }) => hasSameOptions(use, auth.use)),
  );
  return changed.flatMap((auth) => {
    const { use, callers } = auth;
    const isNew = !before.some((old) => old.use.uses === use.uses);
    if (isNew ? servesVisitors(auth) : callers?.kind === 'declared') return [];
    return [{ words: isNew ? `auth ${use.uses}` : `other options of auth ${use.uses}`, place: use.place }];
  });
}

/** Other options may accept a duplicate that was not accepted before, or the other way round. */
function dedupWidenings(
  name: string,
  { dedup: before }: TriggerConfig,
  { dedup: after, place }: TriggerConfig,
): readonly Widening[] {
  if (before === undefined || isSameUse(before, after)) return [];
  if (after === undefined) return [widening('dedup_off', `${name} accepts duplicates: dedup was removed`, place)];
  if (hasSameOptions(before, after)) return [];
  return [notice('dedup_changed', `${name} recognizes duplicates by ${describeUse(after)}`, after.place)];
}

/** Origins whose pages could not read the answers before. */
function corsWidenings(
  name: string,
  { cors: before }: TriggerConfig,
  { cors: after }: TriggerConfig,
): readonly Widening[] {
  if (after === undefined) return [];
  const allowed = new OriginSet(before?.origins ?? []);
  const added = after.origins.filter((origin) => !before?.origins.includes(origin) && !allowed.has(origin));
  if (added.length === 0) return [];
  return [widening('cors_widened', `pages of ${added.join(', ')} may read the answers of ${name}`, after.place)];
}

/** JSON pointers at which a value was masked before, in runs or in recorded requests. */
function unmasked(before: TriggerConfig, after: TriggerConfig): readonly string[] {
  const { recording } = after;
  const inRuns = before.record.mask.filter((pointer) => !isMasked(pointer, after.record.mask));
  const recorded = before.recording?.mask ?? [];
  const inRecordings = recording === undefined ? [] : recorded.filter((pointer) => !isMasked(pointer, recording.mask));
  return [...new Set([...inRuns, ...inRecordings])];
}

/** A mask covers everything below it. */
function isMasked(pointer: string, masks: readonly string[]): boolean {
  return masks.some((mask) => pointer === mask || pointer.startsWith(`${mask}/`));
}
