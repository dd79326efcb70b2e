import type { DiagnosticCode } from '../../diagnostics/codes.ts';
import type { Place, Problem } from '../../diagnostics/problem.ts';
import type { DocumentSet } from './document-set.ts';

/** Something that must be unique, by what is compared, and where it stands. */
export interface Claimed {
  readonly identity: string;
  readonly place: Place;
}

/** Finds what is there more than once; the first stays, each of the others is a problem that names the first. */
export function duplicates(
  claims: readonly Claimed[],
  documents: DocumentSet,
  { code, what, hint }: { readonly code: DiagnosticCode; readonly what: string; readonly hint: string },
): Problem[] {
  const first = new Map<string, Place>();
  const problems: Problem[] = [];
  for (const { identity, place } of claims) {
    const other = first.get(identity);
    if (other === undefined) first.set(identity, place);
    else
      problems.push({
        code,
        severity: 'error',
        message: `${what} is also at ${documents.describe(other)}`,
        hint,
        place,
      });
  }
  return problems;
}
