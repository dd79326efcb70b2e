import { UsageError } from './terminal.ts';

/** Returns a valid id, else throws a UsageError: it becomes part of a URL and of the name of a file. */
export function checkedId(id: string, what = 'id'): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) {
    throw new UsageError(`the ${what} ${id} must consist of 1 to 64 letters, digits, _ and -`);
  }
  return id;
}
