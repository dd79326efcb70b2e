/** A fault of a plugin's options that its JSON Schema cannot express, e.g. an expression that does not parse. */
export interface OptionsProblem {
  /** JSON pointer (RFC 6901) into the options, e.g. `/expression`. */
  readonly pointer: string;
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  /** Where in the string at `pointer`, in UTF-16 units, if the fault is inside one. */
  readonly offset?: number;
}

/** What a user should know of options that can be used. A `note` is only shown by `pullcord validate --verbose`. */
export interface OptionsFinding extends OptionsProblem {
  readonly severity: 'warning' | 'note';
}

const marker = Symbol.for('pullcord.OptionsError');
const fingerprintMarker = Symbol.for('pullcord.FingerprintError');

/**
 * Thrown by a plugin's `create` to refuse its options. The host shows each problem at its place in the user's YAML;
 * any other throw is reported as a plugin that failed to start.
 */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
  readonly [marker] = true;
  readonly problems: readonly OptionsProblem[];

  constructor(problems: readonly OptionsProblem[]) {
    super(problems.map((problem) => `${problem.pointer}: ${problem.message}`).join('; '));
    this.problems = problems;
  }

  /** Recognised by marker, not by class: a third party's plugin may carry its own copy of this module. */
  static is(error: unknown): error is OptionsError {
    return error instanceof Error && marker in error;
  }
}

/**
 * Thrown by a dedup plugin that cannot tell what a request is equal to: the request is answered with `filter_error`. The
 * message is for the log only: no values of the request.
 */
export class FingerprintError extends Error {
  override readonly name = 'FingerprintError';
  readonly [fingerprintMarker] = true;

  /** Recognised by marker, as OptionsError. */
  static is(error: unknown): error is FingerprintError {
    return error instanceof Error && fingerprintMarker in error;
  }
}
