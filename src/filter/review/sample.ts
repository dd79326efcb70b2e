import { RE2JS } from 're2js';

/** RE2 takes seconds to match the sample of a pattern longer than this. */
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
  return sample !== '' && RE2JS.compile(RE2JS.translateRegExp(pattern)).matcher(sample).find() ? sample : undefined;
}

const classes: Readonly<Record<string, string>> = { d: '1', w: 'a', s: ' ', D: 'x', W: ' ', S: 'x', n: '\n', t: '\t' };
