/** Replaces what could steer a terminal or reorder text (control and bidirectional characters), one for one. */
export function makePrintable(line: string): string {
  return line.replace(/\r$/, '').replace(/[[\p{Cc}\u2028-\u202e\u2066-\u2069]--\t]/gv, '·');
}
