import type { Evaluation } from '../evaluation.ts';
import { isTruthy } from '../value.ts';
import { checkFinite, checkPicture } from './picture.ts';
import { reference } from './reference.ts';

type Numbers = readonly number[] | undefined;

export const numbers = {
  sum(run: Evaluation, values: Numbers) {
    return fold(run, values, 0, (total, value) => total + value);
  },
  max(run: Evaluation, values: Numbers) {
    return values?.length === 0 ? undefined : fold(run, values, -Infinity, Math.max);
  },
  min(run: Evaluation, values: Numbers) {
    return values?.length === 0 ? undefined : fold(run, values, Infinity, Math.min);
  },
  average(run: Evaluation, values: Numbers) {
    if (values === undefined || values.length === 0) return undefined;
    return Number(fold(run, values, 0, (total, value) => total + value)) / values.length;
  },
  number(run: Evaluation, value: unknown) {
    if (typeof value === 'string') run.spendText(value.length * 8);
    return reference.number.call(value);
  },
  floor: (_run: Evaluation, value?: number) => (value === undefined ? undefined : Math.floor(value)),
  ceil: (_run: Evaluation, value?: number) => (value === undefined ? undefined : Math.ceil(value)),
  abs: (_run: Evaluation, value?: number) => (value === undefined ? undefined : Math.abs(value)),
  round(run: Evaluation, value?: number, precision?: number) {
    // By way of a text.
    run.spend(8);
    return reference.round.call(value, precision);
  },
  sqrt: (_run: Evaluation, value?: number) => reference.sqrt.call(value),
  power: (_run: Evaluation, value?: number, exponent?: number) => reference.power.call(value, exponent),
  random: (run: Evaluation) => run.random(),
  boolean: (run: Evaluation, value: unknown) => (value === undefined ? undefined : isTruthy(run, value)),
  not: (run: Evaluation, value: unknown) => (value === undefined ? undefined : !isTruthy(run, value)),
  formatNumber(run: Evaluation, value: number | undefined, picture: string | undefined, options: unknown) {
    checkPicture(run, picture);
    checkFinite(value, (finite) => reference.formatNumber.call(finite, picture, options));
    return reference.formatNumber.call(value, picture, options);
  },
  formatBase(run: Evaluation, value?: number, radix?: number) {
    run.spend(96);
    return reference.formatBase.call(value, radix);
  },
  formatInteger(run: Evaluation, value: number | undefined, picture: string | undefined) {
    checkPicture(run, picture);
    checkFinite(value, (finite) => reference.formatInteger.call(finite, picture));
    // In words, up to a hundred of them. NaN has none.
    run.spend(Math.log2(1 + Math.abs(value || 0)));
    return reference.formatInteger.call(value, picture);
  },
  parseInteger(run: Evaluation, text: string | undefined, picture: string | undefined) {
    checkPicture(run, picture);
    if (text !== undefined) run.spendText(text.length * 16);
    return reference.parseInteger.call(text, picture);
  },
};

function fold(run: Evaluation, values: Numbers, initial: number, add: (total: number, value: number) => number) {
  if (values === undefined) return undefined;
  run.spend(values.length);
  let total = initial;
  for (const value of values) total = add(total, value);
  return total;
}
