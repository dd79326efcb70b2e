import { parseDuration } from './units.ts';

/** In what the amount of a rate is written: `cost` may have decimals. */
export type RateKind = 'count' | 'cost';

/** How much per what, e.g. `60/1m`. */
export interface Rate {
  /** Of cost in billionths, so that sums are exact. */
  readonly amount: number;
  readonly window: RateWindow;
}

export type RateWindow = { readonly kind: 'period'; readonly ms: number } | { readonly kind: 'day' | 'month' };

export type ParsedRate =
  | { readonly ok: true; readonly rate: Rate }
  /** What is wrong, as the end of a sentence that begins with the name of the field. Contains nothing of the text. */
  | { readonly ok: false; readonly fault: string };

const billion = 1_000_000_000;
const largestCount = 1_000_000_000_000_000;
/** In billionths it is still a safe integer. */
const largestCost = 9_000_000;
const largestPeriodMs = 3650 * 86_400_000;

/** Windows that follow the calendar of a zone. */
const calendarWindows: ReadonlyMap<string, RateWindow> = new Map([
  ['1d', { kind: 'day' }],
  ['1mo', { kind: 'month' }],
]);

/** Parses a rate such as `60/1m`, `2000000/1d` or, of cost, `0.5/1mo`. */
export function parseRate(text: string, kind: RateKind): ParsedRate {
  const example = kind === 'cost' ? '20/1mo' : '60/1m';
  const [written = '', period, ...rest] = text.split('/');
  if (period === undefined || rest.length > 0)
    return refuse(`must be an amount, a slash and a period, e.g. ${example}`);
  const amount = kind === 'cost' ? parseCost(written) : parseCount(written);
  if (typeof amount === 'string') return refuse(`${amount}, e.g. ${example}`);
  const window = parseWindow(period);
  return typeof window === 'string' ? refuse(window) : { ok: true, rate: { amount, window } };
}

/** A cost in billionths; undefined if it has more than nine decimals. */
export function billionthsOf(cost: number): number | undefined {
  const billionths = Math.round(cost * billion);
  return billionths / billion === cost ? billionths : undefined;
}

function refuse(fault: string): ParsedRate {
  return { ok: false, fault };
}

function parseCount(text: string): number | string {
  if (!/^[1-9][0-9]{0,18}$/.test(text)) return 'must begin with a positive whole number';
  return Number(text) > largestCount ? `must be at most ${largestCount} per period` : Number(text);
}

function parseCost(text: string): number | string {
  const [, whole = '', decimals = ''] = /^(0|[1-9][0-9]{0,18})(?:\.([0-9]{1,9}))?$/.exec(text) ?? [];
  const amount = Number(whole) * billion + Number(decimals.padEnd(9, '0'));
  if (whole === '' || amount === 0) return 'must begin with a positive number that has at most nine decimals';
  return amount > largestCost * billion ? `must be at most ${largestCost} per period` : amount;
}

function parseWindow(text: string): RateWindow | string {
  const calendar = calendarWindows.get(text);
  if (calendar !== undefined) return calendar;
  if (/^[A-Za-z]+$/.test(text)) return 'must have a number before the unit of its period, e.g. 60/1m for a minute';
  if (/^[0-9]+mo$/.test(text))
    return 'can count by one calendar month only: write 1mo, or a number of days such as 60d';
  const ms = parseDuration(text);
  if (ms === undefined) return 'must end with a number and one of the units ms, s, m, h, d, mo, e.g. 60/1m';
  if (ms === 0) return 'must have a period longer than 0';
  return ms > largestPeriodMs ? 'must have a period of at most 3650d' : { kind: 'period', ms };
}

/** Billionths as the cost that they are. */
export function writeCost(billionths: number): string {
  const digits = String(billionths).padStart(10, '0');
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`.replace(/\.?0+$/, '');
}

const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
  ['ms', 1],
] as const;

/** A window as it is written in a rate: the largest unit that keeps the number whole. */
export function writeWindow(window: RateWindow): string {
  if (window.kind !== 'period') return window.kind === 'day' ? '1d' : '1mo';
  const { ms } = window;
  // `1d` is a day of the calendar, `24h` a period.
  const [unit, one] = units.find(([, size]) => ms % size === 0 && !(size === 86_400_000 && ms === size)) ?? ['ms', 1];
  return `${ms / one}${unit}`;
}
