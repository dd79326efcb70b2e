import { EvaluationError } from '../evaluation-error.ts';

const maxLength = 256;
const maxWidth = 1000;

/** Refuses a picture of a number that is longer than anybody means, since it is made into as long a text. */
export function checkPicture(picture: string | undefined): void {
  if (picture !== undefined && picture.length > maxLength) throw new EvaluationError('D2015', { value: maxLength });
}

/** Refuses a picture of a date that asks for widths nobody means (`[Y,1-100000000]`), before memory is taken for them. */
export function checkDatePicture(picture: string | undefined): void {
  checkPicture(picture);
  for (const [, width = ''] of picture?.matchAll(/,([^\],]*)\]/g) ?? []) {
    if (width.split('-').some((bound) => Number(bound) > maxWidth)) {
      throw new EvaluationError('D2015', { value: maxWidth });
    }
  }
}
