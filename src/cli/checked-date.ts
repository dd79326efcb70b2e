import { parseExpiry } from '../schema/expiry.ts';
import { UsageError } from './terminal.ts';

/** Returns a day or a time as it is written in a file, else throws a UsageError. */
export function checkedDate(date: string): string {
  if (parseExpiry(date) !== undefined) return date;
  throw new UsageError(`${date} is not a date like 2027-06-30 or 2027-06-30T12:00:00Z`);
}
