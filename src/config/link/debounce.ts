import { isDeepStrictEqual } from 'node:util';
import type { Problem } from '../../diagnostics/problem.ts';
import type { DebounceConfig, StageUse } from '../model.ts';
import { descriptorOf } from '../stages.ts';
import { type DocumentSet, errorAt } from './document-set.ts';
import { perOf } from './limit-config.ts';
import type { ResolvedStages, WrittenSetting } from './resolve-stages.ts';

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

/** Plugins that answer with what a run returns. */
const answersOfRuns: ReadonlySet<string> = new Set(['wait', 'stream']);

/**
 * Warns about a `respond` that answers no accepted request: the `debounce` of its trigger answers each 202. Defaults above
 * that `debounce` may be used by other triggers, which are not debounced.
 */
export function unusedResponds({ gateways }: DocumentSet, { triggers }: ResolvedStages): readonly Problem[] {
  const ofGateway = new Set(gateways.map(({ file }) => file));
  const unused = new Map<string, Problem>();
  for (const [{ file }, { uses, settings }] of triggers) {
    const [respond] = uses.respond;
    const { debounce } = settings;
    if (respond === undefined || debounce === undefined || !waitsForRuns(respond)) continue;
    const { place } = respond;
    const levelOf = (written: string) => (written === file ? 0 : ofGateway.has(written) ? 2 : 1);
    if (levelOf(place.file) > levelOf(debounce.file)) continue;
    if (ofGateway.has(place.file) && isDefault(respond)) continue;
    // Triggers that take it from their defaults share one warning.
    unused.set(`${place.file}\0${place.pointer}`, unusedRespond(respond));
  }
  return [...unused.values()];
}

/** With `duplicate: first` it still answers duplicates, with what the run of the first request returns. */
function waitsForRuns({ uses, with: options }: StageUse): boolean {
  return answersOfRuns.has(uses) && options.duplicate !== 'first';
}

/** The default of the gateway is in its document although nobody wrote it. */
function isDefault({ uses, with: options }: StageUse): boolean {
  return isDeepStrictEqual({ uses, with: options }, descriptorOf('respond').default);
}

function unusedRespond({ uses, place }: StageUse): Problem {
  return {
    code: 'unused_respond',
    severity: 'warning',
    message: `respond: ${uses} answers no accepted request: with debounce each is answered 202 at once`,
    hint: 'Write `respond: { uses: accepted }`, or remove debounce.',
    place,
  };
}
