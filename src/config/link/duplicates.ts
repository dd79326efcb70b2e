import type { DiagnosticCode } from '../../diagnostics/codes.ts';
import type { Place, Problem } from '../../diagnostics/problem.ts';
import type { DocumentSet } from './document-set.ts';

/** Something that must be unique: the text that is compared, and its place. */
export interface Claimed {
  readonly identity: string;
  readonly place: Place;
  /** The project that it belongs to, where that matters to the hint. */
  readonly project?: string;
}

/** Returns a problem for every repetition, naming the place of the first. */
export function duplicates(
  claims: readonly Claimed[],
  documents: DocumentSet,
  {
    code,
    what,
    hint,
  }: {
    readonly code: DiagnosticCode;
    readonly what: string;
    readonly hint: string | ((claim: Claimed, first: Claimed) => string);
  },
): Problem[] {
  const first = new Map<string, Claimed>();
  const problems: Problem[] = [];
  for (const claim of claims) {
    const { identity, place } = claim;
    const other = first.get(identity);
    if (other === undefined) first.set(identity, claim);
    else
      problems.push({
        code,
        severity: 'error',
        message: `${what} is also at ${documents.describe(other.place)}`,
        hint: typeof hint === 'string' ? hint : hint(claim, other),
        place,
      });
  }
  return problems;
}
