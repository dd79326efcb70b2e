import type { DiagnosticCode } from './codes.ts';

/** A place in a config file: a JSON pointer (RFC 6901) into its document. Line and column are computed when printed. */
export interface Place {
  /** The file as the user knows it: the config folder as given, joined with the path below it. */
  readonly file: string;
  readonly pointer: string;
  /** Points at the member's name instead of its value, e.g. for an unknown field. */
  readonly atName?: boolean;
  /** Offset in UTF-16 units inside the string value at `pointer`, e.g. inside a JSONata expression. */
  readonly offset?: number;
}

/** Something about the config that its author can fix or should know. */
export interface Problem {
  /** Tools match on it. */
  readonly code: DiagnosticCode;
  readonly severity: 'error' | 'warning' | 'note';
  /** What happened, without the place and without values that could be secret. */
  readonly message: string;
  /** What to do next, often a did-you-mean. */
  readonly hint?: string;
  readonly place: Place;
}
