import { UsageError } from './terminal.ts';

/** Returns a note as a file can have it, else throws a UsageError. */
export function checkedNote(note: string): string {
  if (/^[^\p{Cc}]{1,100}$/u.test(note)) return note;
  throw new UsageError('the note must have 1 to 100 characters on one line');
}
