import type { Engine } from '../regexp/engine.ts';
import { engineOf } from '../regexp/engine-of.ts';
import { unmetered } from '../regexp/unmetered.ts';

/** Far more than the expressions that a worker keeps are likely to have. */
const mostKnown = 1000;

/** Returns a RegexEngine for the reference: a constructor of objects with RegExp's `exec` and `lastIndex`. */
export function linearRegExpEngine(): new (regexp: RegExp) => LinearRegExp {
  // Cached, because the reference constructs its regular expressions again in each evaluation.
  const known = new Map<string, Engine>();
  return class extends LinearRegExp {
    constructor(regexp: RegExp) {
      const key = String(regexp);
      const engine = known.get(key) ?? engineOf(regexp);
      if (known.size >= mostKnown) known.clear();
      known.set(key, engine);
      super(engine);
    }
  };
}

/** The subset of a global RegExp that JSONata uses, matched in linear time. */
class LinearRegExp {
  lastIndex = 0;
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  exec(value: unknown): Match | null {
    const text = String(value);
    // As RegExp converts it: an expression may pass anything.
    const from = Math.max(0, Math.trunc(Number(this.lastIndex)) || 0);
    // An isolated evaluation has a limit of time instead of work.
    const found = from > text.length ? undefined : this.#engine.find(unmetered, text, from, false);
    this.lastIndex = found === undefined ? 0 : found.start + found.match.length;
    if (found === undefined) return null;
    return Object.assign([found.match, ...found.groups], { index: found.start, input: text });
  }
}

interface Match extends Array<string | undefined> {
  index: number;
}
