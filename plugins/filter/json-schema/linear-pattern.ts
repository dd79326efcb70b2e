import { RE2JS } from 're2js';
import type { WorkMeter } from './work-meter.ts';

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
 * Returns what replaces RegExp in ajv: it matches in linear time on any input, which prevents ReDoS, and pays for each
 * match before it reads the text. Its `code` is for ajv's standalone modules, which are not used here.
 */
export function patternCompiler(meter: WorkMeter) {
  const compile = (pattern: string, flags: string): LinearPattern => {
    const compiled = compilePattern(pattern, flags);
    // RE2 may compare each character with all instructions of its program.
    const price = 1 + compiled.programSize() / 2;
    return {
      test(text) {
        meter.spend(1 + text.length * price);
        return compiled.test(text);
      },
      // Ajv treats patterns with equal strings as the same.
      toString: () => `/${pattern}/${flags}`,
    };
  };
  return Object.assign(compile, { code: 'undefined' });
}

/** Throws an UnusablePattern. */
export function compilePattern(pattern: string, flags: string): RE2JS {
  try {
    return RE2JS.compile(RE2JS.translateRegExp(new RegExp(pattern, flags)));
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^error parsing regexp: /, '') : 'unknown reason';
    throw new UnusablePattern(pattern, reason);
  }
}
