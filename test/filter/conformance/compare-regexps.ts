import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { linearCostOf } from '../../../src/filter/linear.ts';
import type { Engine, Found } from '../../../src/filter/regexp/engine.ts';
import { LinearEngine } from '../../../src/filter/regexp/linear-engine.ts';
import { NativeEngine } from '../../../src/filter/regexp/native-engine.ts';
import { unmetered } from '../../../src/filter/regexp/unmetered.ts';
import { regExpPairs } from './random-regexps.ts';

/** What is compared: whether it matches, and each match with its groups, as JSONata asks for them. */
interface Outcome {
  readonly matches: boolean;
  readonly found: readonly Found[];
}

/** Compares the engines with RegExp on random pairs of a regular expression and a text; throws with one that differs. */
export function compareRegExps(
  pairs: number,
  seed: number,
  onPair: (done: number) => void = () => {},
): { readonly native: number; readonly matching: number } {
  let done = 0;
  let native = 0;
  let matching = 0;
  fc.assert(
    fc.property(regExpPairs, ({ regexp, text }) => {
      const expected = outcomeOfRegExp(regexp, text);
      compare('the linear engine', regexp, text, outcomeOf(new LinearEngine(regexp), text), expected);
      const cost = linearCostOf(regexp);
      if (cost !== undefined) {
        compare('the native engine', regexp, text, outcomeOf(new NativeEngine(regexp, cost), text), expected);
        native += 1;
      }
      if (expected.matches) matching += 1;
      done += 1;
      onPair(done);
    }),
    { numRuns: pairs, seed, endOnFailure: true },
  );
  return { native, matching };
}

function compare(engine: string, regexp: RegExp, text: string, actual: Outcome, expected: Outcome): void {
  if (isDeepStrictEqual(actual, expected)) return;
  throw new Error(
    `${regexp} on ${JSON.stringify(text)}: ${engine} finds ${JSON.stringify(actual)}, RegExp ${JSON.stringify(expected)}`,
  );
}

export function outcomeOf(engine: Engine, text: string): Outcome {
  const found = allFound(text, (from, isNext) => engine.find(unmetered, text, from, isNext));
  return { matches: engine.test(unmetered, text), found };
}

export function outcomeOfRegExp({ source, flags }: RegExp, text: string): Outcome {
  const regexp = new RegExp(source, flags);
  const found = allFound(text, (from) => {
    regexp.lastIndex = from;
    const match = regexp.exec(text);
    return match === null ? undefined : { start: match.index, match: match[0], groups: match.slice(1) };
  });
  return { matches: new RegExp(source, flags.replace('g', '')).test(text), found };
}

/** Continues after each match, past an empty one by a code unit, so that every start is tried. */
function allFound(text: string, find: (from: number, isNext: boolean) => Found | undefined): Found[] {
  const all: Found[] = [];
  for (let from = 0; from <= text.length; ) {
    const found = find(from, all.length > 0);
    if (found === undefined) break;
    all.push(found);
    from = found.start + Math.max(1, found.match.length);
  }
  return all;
}
