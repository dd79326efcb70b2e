/**
 * Whether a JSON number, read as a double, is still what was written. Not if it gets infinite or zero, nor if an integer
 * or a number of more than 17 digits gets another value: 9007199254740993 would become 9007199254740992. A fraction of
 * up to 17 digits is kept, as 17 digits distinguish any two doubles.
 */
export function isKept(source: string): boolean {
  if (shortFraction.test(source)) return true;
  const value = Number(source);
  if (!Number.isFinite(value)) return false;
  // A double holds 15 digits of any number but those next to zero, and these are fractions.
  if (value !== 0 && source.length <= 15) return true;
  const written = decimalOf(source);
  if (value === 0) return written.digits === '';
  const kept = decimalOf(String(value));
  if (written.digits === kept.digits && written.exponent === kept.exponent) return true;
  const isInteger = written.exponent >= 0;
  return !isInteger && written.digits.length <= 17;
}

/** The values that numbers have which lost digits, in order: two numbers as written may have one of them. */
export type LostNumbers = Float64Array;

/** Undefined if all of these JSON numbers are kept. */
export function lostNumbers(sources: readonly string[]): LostNumbers | undefined {
  const lost = sources.filter((source) => !isKept(source));
  return lost.length === 0 ? undefined : Float64Array.from(lost, (source) => finite(Number(source))).sort();
}

/** JSON has no infinity: what is beyond a double is the largest one. */
export function finite(value: number): number {
  return Number.isFinite(value) ? value : Math.sign(value) * Number.MAX_VALUE;
}

/** Whether a value is that of a number which lost digits. */
export function isLost(value: number, lost: LostNumbers): boolean {
  let low = 0;
  let high = lost.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((lost[middle] ?? 0) < value) low = middle + 1;
    else high = middle;
  }
  return lost[low] === value;
}

/** What most long numbers are: the shortest form of a double. */
const shortFraction = /^-?(?:0\.[0-9]{0,16}[1-9]|(?=[0-9.]{1,18}$)[1-9][0-9]*\.[0-9]*[1-9])$/;

interface Decimal {
  /** Without zeros at either end; empty for zero. */
  readonly digits: string;
  /** The power of ten of the last digit. */
  readonly exponent: number;
}

/** The digits and exponent of a JSON number; its sign does not matter here. */
function decimalOf(source: string): Decimal {
  const [mantissa = '', power = '0'] = source.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.replace('-', '').split('.');
  const all = whole + fraction;
  let start = 0;
  while (start < all.length && all[start] === '0') start += 1;
  let end = all.length;
  while (end > start && all[end - 1] === '0') end -= 1;
  return { digits: all.slice(start, end), exponent: Number(power) - fraction.length + (all.length - end) };
}
