import { type Matcher, RE2JS } from 're2js';
import type { Deadline } from './deadline.ts';

/** Compiles a regular expression so that matching takes linear time; throws if RE2 cannot express it. */
export type CompileRegExp = (regexp: RegExp) => RE2JS;

/** A compiler that remembers what it compiled: JSONata constructs its regular expressions anew in each evaluation. */
export function regExpCompiler(): CompileRegExp {
  const compiled = new Map<string, RE2JS>();
  return (regexp) => {
    const key = String(regexp);
    let pattern = compiled.get(key);
    if (!pattern) {
      pattern = RE2JS.compile(RE2JS.translateRegExp(regexp));
      compiled.set(key, pattern);
    }
    return pattern;
  };
}

/** Makes what JSONata wants as its RegexEngine: the constructor of something with RegExp's `exec` and `lastIndex`. */
export function regexEngine(compile: CompileRegExp, deadline: Deadline): new (regexp: RegExp) => LinearRegExp {
  return class extends LinearRegExp {
    constructor(regexp: RegExp) {
      super(compile(regexp), deadline);
    }
  };
}

/** A global regular expression as far as JSONata uses one. */
class LinearRegExp {
  lastIndex = 0;
  readonly #pattern: RE2JS;
  readonly #deadline: Deadline;
  #matcher: Matcher | undefined;
  #text = '';

  constructor(pattern: RE2JS, deadline: Deadline) {
    this.#pattern = pattern;
    this.#deadline = deadline;
  }

  exec(value: unknown): Match | null {
    this.#deadline.check();
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
