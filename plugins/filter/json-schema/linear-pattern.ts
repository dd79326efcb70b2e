import { RE2JS } from 're2js';

/** A pattern that RE2 does not support. */
export class UnusablePattern extends Error {
  readonly pattern: string;

  constructor(pattern: string, reason: string) {
    super(`RE2 does not support the pattern: ${reason}`);
    this.pattern = pattern;
  }
}

interface LinearPattern {
  test(text: string): boolean;
  toString(): string;
}

/**
 * Replaces RegExp in ajv: it matches in linear time on any input, which prevents ReDoS. Its `code` is for ajv's
 * standalone modules, which are not used here.
 */
export const compilePattern = Object.assign(compile, { code: 'undefined' });

function compile(pattern: string, flags: string): LinearPattern {
  const compiled = compileRe2(pattern, flags);
  // Ajv treats patterns with equal strings as the same.
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
