import type { Evaluation } from '../evaluation.ts';
import { checkDatePicture, checkFinite, checkPicture } from './picture.ts';
import { reference } from './reference.ts';

export const times = {
  now(run: Evaluation, picture?: string, timezone?: string) {
    checkDatePicture(run, picture);
    return reference.fromMillis.call(run.now, picture, timezone);
  },
  millis: (run: Evaluation) => run.now,
  /** Only without a picture: with one, the reference builds a regular expression that may backtrack endlessly (ReDoS). */
  toMillis(run: Evaluation, text?: string) {
    if (text !== undefined) run.spendText(text.length * 8);
    return reference.toMillis.call(text);
  },
  fromMillis(run: Evaluation, millis?: number, picture?: string, timezone?: string) {
    checkDatePicture(run, picture);
    checkPicture(run, timezone);
    checkFinite(millis, (finite) => reference.fromMillis.call(finite, picture, timezone));
    return reference.fromMillis.call(millis, picture, timezone);
  },
};
