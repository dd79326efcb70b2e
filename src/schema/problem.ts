import type { DiagnosticCode } from '../diagnostics/codes.ts';

/** Something wrong with a value, at a JSON pointer into it. */
export interface SchemaProblem {
  readonly code: DiagnosticCode;
  readonly pointer: string;
  /** Points at the member's name instead of its value. */
  readonly atName?: boolean;
  readonly message: string;
  readonly hint?: string;
}
