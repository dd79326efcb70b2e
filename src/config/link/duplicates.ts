import type { DiagnosticCode } from '../../diagnostics/codes.ts';
import type { Place, Problem } from '../../diagnostics/problem.ts';
import type { DocumentSet } from './document-set.ts';

/** Something that must be unique: the text that is compared, and its place. */
export interface Claimed {
  readonly identity: string;
  readonly place: Place;
}

/** Returns a problem for every repetition, naming the place of the first. */
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
