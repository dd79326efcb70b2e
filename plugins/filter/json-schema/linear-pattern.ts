import { RE2JS } from 're2js';

/** A pattern that RE2 cannot take. */
export class UnusablePattern extends Error {
  readonly pattern: string;

  constructor(pattern: string, reason: string) {
    super(`the pattern is not one of RE2: ${reason}`);
    this.pattern = pattern;
  }
}

interface LinearPattern {
  test(text: string): boolean;
  toString(): string;
}

/**
 * What ajv compiles patterns with, instead of RegExp: it matches in linear time, whatever a caller sends. Its `code` is
 * for ajv's standalone modules, which are not used here.
 */
export const compilePattern = Object.assign(compile, { code: 'undefined' });

function compile(pattern: string, flags: string): LinearPattern {
  const compiled = compileRe2(pattern, flags);
  // Ajv takes patterns for the same if their strings are.
  return { test: (text) => compiled.test(text), toString: () => `/${pattern}/${flags}` };
}

function compileRe2(pattern: string, flags: string): RE2JS {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(new RegExp(pattern, flags)));
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'unknown reason';
    throw new UnusablePattern(pattern, reason);
  }
}
