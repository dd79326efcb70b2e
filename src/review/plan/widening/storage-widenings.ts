import type { Config, TriggerConfig } from '../../../config/model.ts';
import type { Widening } from '../plan.ts';
import { warner, widening } from './widening.ts';

type Bounds = Config['recordingBounds'];

/** A trigger, and the bounds of recorded requests where it sets none itself. */
export interface StoringTrigger {
  readonly config: TriggerConfig;
  readonly bounds: Bounds;
}

/** What is stored of requests of a trigger that was not, or longer than before. */
export function storageWidenings(name: string, before: StoringTrigger, after: StoringTrigger): readonly Widening[] {
  const { place } = after.config;
  return [
    ...recordingWords(before, after).map((words) => widening('recording_widened', `${name} ${words}`, place)),
    ...addedBindings(before.config, after.config).map((what) =>
      widening('bindings_widened', `${name} stores ${what} with each run`, after.config.run.place),
    ),
  ];
}

function recordingWords(before: StoringTrigger, after: StoringTrigger): readonly string[] {
  const [old, now] = [before.config.recording, after.config.recording];
  if (now === undefined) return [];
  if (old === undefined) {
    const which = now.rate > 0 ? 'requests' : 'requests that are dropped, limited or failed';
    return [`records ${which}, and did not before`];
  }
  // Where neither sets a bound, that of the gateway has a warning of its own.
  const isWider = (bound: 'count' | 'ageMs') =>
    (old[bound] !== undefined || now[bound] !== undefined) &&
    (now[bound] ?? after.bounds[bound]) > (old[bound] ?? before.bounds[bound]);
  return [
    ...(now.refused && !old.refused
      ? ['records requests that are dropped, limited or failed, and did not before']
      : []),
    ...(now.rate > old.rate ? [more(old.rate, now.rate)] : []),
    ...(isWider('count') ? ['keeps more recorded requests'] : []),
    ...(isWider('ageMs') ? ['keeps recorded requests longer'] : []),
  ];
}

function more(old: number, now: number): string {
  return old === 0 ? 'records requests, and did not before' : `records more of its requests: rate ${now}, not ${old}`;
}

function addedBindings({ run: before }: TriggerConfig, { run: after }: TriggerConfig): readonly string[] {
  const added = (old: readonly string[], now: readonly string[]) => now.filter((name) => !old.includes(name));
  return [
    ...added(before.bindings.headers, after.bindings.headers).map((header) => `the header ${header}`),
    ...added(before.bindings.claims, after.bindings.claims).map((claim) => `the claim ${claim} of its caller`),
  ];
}

/** Bounds of recorded requests that hold for all triggers, if there is any that records. */
export function boundsWidenings(base: Config, head: Config): readonly Widening[] {
  const [old, now] = [base.recordingBounds, head.recordingBounds];
  if (head.triggers.every(({ recording }) => recording === undefined)) return [];
  const isMore = now.count > old.count || now.sizeBytes > old.sizeBytes;
  const words = [
    ...(isMore ? ['keeps more recorded requests'] : []),
    ...(now.ageMs > old.ageMs ? ['keeps them longer'] : []),
  ];
  if (words.length === 0) return [];
  const said = isMore ? words.join(' and ') : 'keeps recorded requests longer';
  return [warner(head.server.place)('recording_widened', `the gateway ${said}`, '/recording')];
}
