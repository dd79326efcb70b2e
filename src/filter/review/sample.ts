import { engineOf } from '../regexp/engine-of.ts';
import { unmetered } from '../regexp/unmetered.ts';

/** A longer pattern takes too long to match its sample. */
const longestPattern = 500;

/** A string that a regular expression matches, if one is easily derived from it; otherwise undefined. */
export function sampleOf(pattern: RegExp): string | undefined {
  if (pattern.source.length > longestPattern) return undefined;
  const sample = pattern.source
    .replace(/\\[bB]|[\^$]/g, '')
    .replace(/\((?:\?:)?/g, '(')
    .replace(/\[\^[^\]]*\]/g, '~')
    .replace(/\[(\\?.)(?:\\.|[^\]\\])*\]/g, (_all, first: string) => (/^[\w\\]/.test(first) ? first : `\\${first}`))
    .replace(/(?<!\\)(?:[*+?]\??|\{\d+(?:,\d*)?\}\??)/g, '')
    .replace(/\|[^()]*/g, '')
    .replace(/(?<!\\)[()]/g, '')
    .replace(/(?<!\\)\./g, 'x')
    .replace(/\\(.)/g, (_all, escaped: string) => classes[escaped] ?? escaped);
  return sample !== '' && engineOf(pattern).test(unmetered, sample) ? sample : undefined;
}

const classes: Readonly<Record<string, string>> = { d: '1', w: 'a', s: ' ', D: 'x', W: ' ', S: 'x', n: '\n', t: '\t' };
