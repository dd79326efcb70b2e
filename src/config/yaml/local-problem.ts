import type { DiagnosticCode } from '../../diagnostics/codes.ts';
import type { Problem } from '../../diagnostics/problem.ts';

/** A problem of one document, without its file: files with equal bytes share their problems. */
export interface LocalProblem {
  readonly code: DiagnosticCode;
  readonly message: string;
  readonly hint?: string;
  readonly pointer: string;
  readonly atName?: boolean;
  readonly offset?: number;
}

/** Places a problem of a document in its file. */
export function inFile(problem: LocalProblem, file: string): Problem {
  const { code, message, hint, pointer, atName, offset } = problem;
  return {
    code,
    severity: 'error',
    message,
    ...(hint !== undefined && { hint }),
    place: { file, pointer, ...(atName !== undefined && { atName }), ...(offset !== undefined && { offset }) },
  };
}
