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
  substring: onText((text, start: number, length?: number) => reference.substring.call(text, start, length), 32),
  substringBefore(run: Evaluation, text?: string, end?: string) {
    return cut(run, text, end, (whole, position) => whole.slice(0, position));
  },
  substringAfter(run: Evaluation, text?: string, start?: string) {
    return cut(run, text, start, (whole, position, mark) => whole.slice(position + mark.length));
  },
  lowercase: onText((text) => text.toLowerCase(), 4),
  uppercase: onText((text) => text.toUpperCase(), 4),
  length: onText(countCharacters, 8),
  trim: onText((text) => reference.trim.call(text), 32),
  pad(run: Evaluation, text: string | undefined, width: number | undefined, fill?: string) {
    if (text === undefined) return undefined;
    // The reference repeats the whole fill string once per missing character.
    if (Math.abs(width ?? 0) * Math.max(1, fill?.length ?? 0) > maxPadWidth) {
      throw new EvaluationError('D2015', { value: maxPadWidth });
    }
    run.spendText((text.length + Math.abs(width ?? 0) * (1 + (fill?.length ?? 0))) * 16);
    return reference.pad.call(text, width, fill);
  },
  join(run: Evaluation, items: readonly string[] | undefined, separator = '') {
    if (items === undefined) return undefined;
    let length = 0;
    for (const item of items) length += item.length + separator.length;
    run.spend(items.length);
    run.spendText(length);
    return items.join(separator);
  },
  base64encode: onText((text) => Buffer.from(text, 'binary').toString('base64')),
  base64decode: onText((text) => Buffer.from(text, 'base64').toString('binary')),
  encodeUrlComponent: onText((text) => reference.encodeUrlComponent.call(text), 16),
  encodeUrl: onText((text) => reference.encodeUrl.call(text), 16),
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

/** Counts code points, as JSONata does. */
function countCharacters(text: string): number {
  let count = 0;
  for (const _character of text) count += 1;
  return count;
}
