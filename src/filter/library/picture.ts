import type { Evaluation } from '../evaluation.ts';
import { EvaluationError } from '../evaluation-error.ts';

const maxLength = 256;
const maxWidth = 1000;

/** Charges for reading a picture. Rejects an unreasonably long one, since the output is as long. */
export function checkPicture(run: Evaluation, picture = ''): void {
  if (picture.length > maxLength) throw new EvaluationError('D2015', { value: maxLength });
  run.spend(48 + 4 * picture.length);
}

/**
 * Rejects infinite numbers (JSON can contain 1e999). With some pictures the reference never terminates on them, and with
 * others it writes "In,fin,ity". As there, an error of the picture comes first.
 * @param format formats a finite number with the same picture
 */
export function checkFinite(value: number | undefined, format: (value: number) => unknown): void {
  if (value !== Infinity && value !== -Infinity) return;
  format(0);
  throw new EvaluationError('D1001', { value });
}

/** Rejects a date picture with unreasonable widths (`[Y,1-100000000]`) before it allocates memory for them. */
export function checkDatePicture(run: Evaluation, picture: string | undefined): void {
  checkPicture(run, picture);
  for (const [, width = ''] of picture?.matchAll(/,([^\],]*)\]/g) ?? []) {
    if (width.split('-').some((bound) => Number(bound) > maxWidth)) {
      throw new EvaluationError('D2015', { value: maxWidth });
    }
  }
}
