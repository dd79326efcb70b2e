import { type Matcher, RE2JS } from 're2js';

/** Returns a RegexEngine for the reference: a constructor of objects with RegExp's `exec` and `lastIndex`. */
export function linearRegExpEngine(): new (regexp: RegExp) => LinearRegExp {
  // Cached, because the reference constructs its regular expressions again in each evaluation.
  const compiled = new Map<string, RE2JS>();
  return class extends LinearRegExp {
    constructor(regexp: RegExp) {
      const key = String(regexp);
      let pattern = compiled.get(key);
      if (pattern === undefined) {
        pattern = RE2JS.compile(RE2JS.translateRegExp(regexp));
        compiled.set(key, pattern);
      }
      super(pattern);
    }
  };
}

/** The subset of a global RegExp that JSONata uses, matched in linear time. */
class LinearRegExp {
  lastIndex = 0;
  readonly #pattern: RE2JS;
  #matcher: Matcher | undefined;
  #text = '';

  constructor(pattern: RE2JS) {
    this.#pattern = pattern;
  }

  exec(value: unknown): Match | null {
    const text = String(value);
    if (!this.#matcher || this.#text !== text) {
      this.#matcher = this.#pattern.matcher(text);
      this.#text = text;
    }
    const matcher = this.#matcher;
    if (this.lastIndex > text.length || !matcher.find(this.lastIndex)) {
      this.lastIndex = 0;
      return null;
    }
    this.lastIndex = matcher.end();
    return matchOf(matcher, text);
  }
}

interface Match extends Array<string | undefined> {
  index: number;
}

function matchOf(matcher: Matcher, input: string): Match {
  const groups: (string | undefined)[] = [];
  for (let group = 0; group <= matcher.groupCount(); group += 1) groups.push(matcher.group(group) ?? undefined);
  return Object.assign(groups, { index: matcher.start(), input });
}
