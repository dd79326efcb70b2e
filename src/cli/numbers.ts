import { InvalidArgumentError } from 'commander';

/** Reads an option that is a percentage, 0 to 100. */
export function parsePercent(written: string): number {
  const percent = Number(written);
  if (written.trim() === '' || !(percent >= 0 && percent <= 100)) {
    throw new InvalidArgumentError('It must be a number from 0 to 100.');
  }
  return percent;
}
