import type { Evaluation } from '../evaluation.ts';
import { EvaluationError } from '../evaluation-error.ts';

const maxLength = 256;
const maxWidth = 1000;

/** Pays for reading a picture. Refuses one that is longer than anybody means, since it is made into as long a text. */
export function checkPicture(run: Evaluation, picture = ''): void {
  if (picture.length > maxLength) throw new EvaluationError('D2015', { value: maxLength });
  run.spend(32 + 2 * picture.length);
}

/** Refuses what the reference would format for ever: JSON may well hold 1e999. */
export function checkFinite(value: number | undefined): void {
  if (value === Infinity || value === -Infinity) throw new EvaluationError('D1001', { value });
}

/** Refuses a picture of a date that asks for widths nobody means (`[Y,1-100000000]`), before memory is taken for them. */
export function checkDatePicture(run: Evaluation, picture: string | undefined): void {
  checkPicture(run, picture);
  for (const [, width = ''] of picture?.matchAll(/,([^\],]*)\]/g) ?? []) {
    if (width.split('-').some((bound) => Number(bound) > maxWidth)) {
      throw new EvaluationError('D2015', { value: maxWidth });
    }
  }
}
