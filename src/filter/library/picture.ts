import { EvaluationError } from '../evaluation-error.ts';

const maxLength = 256;

/** Refuses pictures of numbers and dates that ask for widths nobody means, before memory is taken for them. */
export function checkPicture(picture: string | undefined): void {
  if (picture === undefined) return;
  if (picture.length > maxLength || /,[^\]]*\d{3}/.test(picture)) {
    throw new EvaluationError('D2015', { value: maxLength });
  }
}
