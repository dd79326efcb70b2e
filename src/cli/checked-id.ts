import { UsageError } from './terminal.ts';

/** Gives an id back, or says that it is wrong usage: it becomes part of a URL and of the name of a file. */
export function checkedId(id: string, what = 'id'): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(id)) {
    throw new UsageError(`the ${what} ${id} is not made of 1 to 64 letters, digits, _ and -`);
  }
  return id;
}
