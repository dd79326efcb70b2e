import type { Evaluation } from '../evaluation.ts';
import { EvaluationError } from '../evaluation-error.ts';
import { toText } from '../value.ts';
import { reference } from './reference.ts';
import { TextSearch } from './text-search.ts';

/** The maximum width that a string is padded to. */
const maxPadWidth = 100_000;

export const texts = {
  string(run: Evaluation, value: unknown, prettify?: boolean) {
    return value === undefined ? undefined : toText(run, value, prettify === true ? 2 : 0);
  },
  substring(run: Evaluation, text: string | undefined, start: number, length?: number) {
    if (text === undefined) return undefined;
    run.spendText(text.length * 4);
    if (!surrogates.test(text)) return substringOf(text, start, length);
    // The reference makes an array of all code points.
    run.spendText(text.length * 128);
    return reference.substring.call(text, start, length);
  },
  substringBefore(run: Evaluation, text?: string, end?: string) {
    return cut(run, text, end, (whole, position) => whole.slice(0, position));
  },
  substringAfter(run: Evaluation, text?: string, start?: string) {
    return cut(run, text, start, (whole, position, mark) => whole.slice(position + mark.length));
  },
  lowercase: inCase((text) => text.toLowerCase()),
  uppercase: inCase((text) => text.toUpperCase()),
  length: onText(countCharacters, 8),
  trim: onText((text) => reference.trim.call(text), 32),
  pad(run: Evaluation, text: string | undefined, width: number | undefined, fill?: string) {
    if (text === undefined) return undefined;
    // The reference repeats the whole fill string once per missing character.
    if (Math.abs(width ?? 0) * Math.max(1, fill?.length ?? 0) > maxPadWidth) {
      throw new EvaluationError('D2015', { value: maxPadWidth });
    }
    // A text has at least half as many characters as UTF-16 units, so it may be long enough as it is.
    if (Math.abs(width ?? 0) <= text.length / 2) return text;
    run.spendText((text.length * 4 + Math.abs(width ?? 0) * (1 + (fill?.length ?? 0))) * 16);
    return reference.pad.call(text, width, fill);
  },
  join(run: Evaluation, items: readonly string[] | undefined, separator = '') {
    if (items === undefined) return undefined;
    run.spend(items.length * 3);
    let length = 0;
    for (const item of items) length += item.length + separator.length;
    run.spendText(length * 4);
    return items.join(separator);
  },
  base64encode: onText((text) => Buffer.from(text, 'binary').toString('base64'), 6),
  base64decode: onText((text) => Buffer.from(text, 'base64').toString('binary'), 6),
  encodeUrlComponent: onText((text) => reference.encodeUrlComponent.call(text), 40),
  encodeUrl: onText((text) => reference.encodeUrl.call(text), 40),
  decodeUrlComponent: onText((text) => reference.decodeUrlComponent.call(text), 16),
  decodeUrl: onText((text) => reference.decodeUrl.call(text), 16),
};

/** A function of a string and more that returns undefined for undefined. `cost` is its cost per character. */
function onText<Rest extends unknown[]>(change: (text: string, ...rest: Rest) => unknown, cost = 1) {
  return (run: Evaluation, text?: string, ...rest: Rest): unknown => {
    if (text === undefined) return undefined;
    run.spendText(text.length * cost);
    return change(text, ...rest);
  };
}

/** Beyond Latin-1, V8 looks up each character, and may grow the text several times. */
function inCase(change: (text: string) => string) {
  return (run: Evaluation, text?: string): string | undefined => {
    if (text === undefined) return undefined;
    if (text.length <= shortLength) run.spendText(text.length * 48);
    else {
      run.spendText(text.length * 12);
      if (beyondLatin1.test(text)) run.spendText(text.length * 36);
    }
    return change(text);
  };
}

function cut(
  run: Evaluation,
  text: string | undefined,
  mark: string | undefined,
  take: (text: string, position: number, mark: string) => string,
): string | undefined {
  if (text === undefined) return undefined;
  // The reference then searches for the string `undefined`.
  const sought = String(mark);
  const position = new TextSearch(run, text, sought).next(0);
  return position < 0 ? text : take(text, position, sought);
}

const beyondLatin1 = /[^\0-ÿ]/;
/** Up to this length, looking for what makes a text slow takes longer than it saves. */
const shortLength = 64;
/** Half of a code point. Without them, each UTF-16 unit is one. */
const surrogates = /[\ud800-\udfff]/;

/** What the reference returns for a text without surrogates. Both may be fractions. */
function substringOf(text: string, start: number, length: number | undefined): string {
  const from = text.length + start < 0 ? 0 : start;
  if (length === undefined) return text.slice(from);
  if (length <= 0) return '';
  return text.slice(from, from >= 0 ? from + length : text.length + from + length);
}

/** Counts code points, as JSONata does. */
function countCharacters(text: string): number {
  let count = 0;
  for (const _character of text) count += 1;
  return count;
}
