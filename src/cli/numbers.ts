import { InvalidArgumentError } from 'commander';

/** Reads an option that is a percentage, 0 to 100. */
export function parsePercent(written: string): number {
  const percent = Number(written);
  if (written.trim() === '' || !(percent >= 0 && percent <= 100)) {
    throw new InvalidArgumentError('It must be a number from 0 to 100.');
  }
  return percent;
}

/** Reads an option that is a number of processes. */
export function parseProcesses(written: string): number {
  if (!/^\d{1,3}$/.test(written) || Number(written) < 1 || Number(written) > 256) {
    throw new InvalidArgumentError('It must be a number from 1 to 256.');
  }
  return Number(written);
}

/** Reads an option that is a port of TCP, or 0 for any free one. */
export function parsePort(written: string): number {
  if (!/^\d{1,5}$/.test(written) || Number(written) > 65_535) {
    throw new InvalidArgumentError('It must be a port, from 0 to 65535.');
  }
  return Number(written);
}
