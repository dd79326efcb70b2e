import type { Problem } from '../../diagnostics/problem.ts';
import type { DebounceConfig } from '../model.ts';
import { type DocumentSet, errorAt } from './document-set.ts';
import { perOf } from './limit-config.ts';
import type { WrittenSetting } from './resolve-stages.ts';

/** How long the longest burst is by default: as many times as long as the pause that ends one. */
const maxWaits = 10;
/** As the schema says. */
const longestMs = 7 * 86_400_000;

export function debounceConfig({ file, pointer, value }: WrittenSetting<'debounce'>): DebounceConfig {
  const { wait: waitMs, max: maxMs = Math.min(maxWaits * waitMs, longestMs), per } = value;
  return { waitMs, maxMs, per: perOf(per), place: { file, pointer } };
}

/** A burst cannot end before the pause that ends it. */
export function debounceProblems({ gateways, projects, triggers }: DocumentSet): readonly Problem[] {
  const written = [
    ...[...gateways, ...projects].map(({ file, document }) => ({
      file,
      pointer: '/defaults/debounce',
      debounce: document.defaults.debounce,
    })),
    ...triggers.map(({ file, document: { debounce } }) => ({ file, pointer: '/debounce', debounce })),
  ];
  return written.flatMap(({ file, pointer, debounce }) => {
    if (debounce?.max === undefined || debounce.max >= debounce.wait) return [];
    const message = '"max" must be at least "wait"';
    return [errorAt(file, `${pointer}/max`, 'bad_debounce', message, 'A burst lasts at least as long as it waits.')];
  });
}
