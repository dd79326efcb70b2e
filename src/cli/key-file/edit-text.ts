/** One change of a text: what stands between two offsets is replaced. */
export interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

export function insertion(at: number, text: string): Edit {
  return { from: at, to: at, text };
}

/** Applies edits that do not overlap. Insertions at one offset stay in their order. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const parts: string[] = [];
  let at = 0;
  for (const edit of edits.toSorted((one, other) => one.from - other.from)) {
    parts.push(text.slice(at, edit.from), edit.text);
    at = edit.to;
  }
  return parts.join('') + text.slice(at);
}
