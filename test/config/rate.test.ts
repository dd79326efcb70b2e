import fc from 'fast-check';
import t from 'tap';
import { billionthsOf, parseRate, writeCost, writeWindow } from '../../src/schema/rate.ts';
import { parseDuration } from '../../src/schema/units.ts';

const minute = { kind: 'period', ms: 60_000 };

t.test('an amount, a slash, and a period or a window of the calendar', (t) => {
  for (const [text, rate] of [
    ['60/1m', { amount: 60, window: minute }],
    ['5/250ms', { amount: 5, window: { kind: 'period', ms: 250 } }],
    ['60/24h', { amount: 60, window: { kind: 'period', ms: 86_400_000 } }],
    ['60/7d', { amount: 60, window: { kind: 'period', ms: 7 * 86_400_000 } }],
    ['2000000/1d', { amount: 2_000_000, window: { kind: 'day' } }],
    ['20/1mo', { amount: 20, window: { kind: 'month' } }],
  ] as const) {
    t.strictSame(parseRate(text, 'count'), { ok: true, rate }, text);
  }
  t.end();
});

t.test('a cost is in billionths, exactly', (t) => {
  for (const [text, amount] of [
    ['20/1m', 20_000_000_000],
    ['0.5/1m', 500_000_000],
    ['0.1/1m', 100_000_000],
    ['8999999.123456789/1m', 8_999_999_123_456_789],
    ['0.000000001/1m', 1],
  ] as const) {
    t.strictSame(parseRate(text, 'cost'), { ok: true, rate: { amount, window: minute } }, text);
  }
  t.equal(billionthsOf(0.1), 100_000_000);
  t.equal(billionthsOf(1.5), 1_500_000_000);
  t.equal(billionthsOf(0.123_456_789_1), undefined);
  t.end();
});

t.test('what is no rate is refused with what is wrong', (t) => {
  for (const [text, fault] of [
    ['', /an amount, a slash and a period/],
    ['60', /an amount, a slash and a period/],
    ['60/1m/1m', /an amount, a slash and a period/],
    ['60/m', /number before the unit/],
    ['60/d', /number before the unit/],
    ['60/2mo', /one calendar month only/],
    ['60/01m', /number and one of the units/],
    ['60/ 1m', /number and one of the units/],
    ['60/1y', /number and one of the units/],
    ['60/0s', /longer than 0/],
    ['060/1m', /positive whole number/],
    ['1e3/1m', /positive whole number/],
    ['1.5/1m', /positive whole number/],
    ['1000000000000001/1m', /at most/],
  ] as const) {
    t.match(parseRate(text, 'count'), { ok: false, fault }, text);
  }
  for (const text of ['0/1m', '0.0/1m', '.5/1m', '5./1m', '1.0000000001/1m', '-1/1m']) {
    t.match(parseRate(text, 'cost'), { ok: false, fault: /positive number/ }, text);
  }
  t.end();
});

t.test('property: a rate that is parsed means what is written, and its window is written as it is parsed', (t) => {
  const period = fc
    .tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom('ms', 's', 'm', 'h', 'd', 'mo'))
    .filter(([count, unit]) => unit !== 'mo' || count === 1)
    .map(([count, unit]) => `${count}${unit}`);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_000_000_000_000_000 }), period, (amount, written) => {
      const parsed = parseRate(`${amount}/${written}`, 'count');
      if (!parsed.ok || parsed.rate.amount !== amount) return false;
      const { window } = parsed.rate;
      if (window.kind === 'period' && window.ms !== parseDuration(written)) return false;
      if ((window.kind === 'period') !== !['1d', '1mo'].includes(written)) return false;
      const again = parseRate(`1/${writeWindow(window)}`, 'count');
      return again.ok && JSON.stringify(again.rate.window) === JSON.stringify(window);
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9_000_000_000_000_000 }), (billionths) => {
      const digits = String(billionths).padStart(10, '0');
      const parsed = parseRate(`${digits.slice(0, -9)}.${digits.slice(-9)}/1mo`, 'cost');
      const again = parseRate(`${writeCost(billionths)}/1mo`, 'cost');
      return parsed.ok && parsed.rate.amount === billionths && again.ok && again.rate.amount === billionths;
    }),
  );
  t.end();
});

t.test('property: any text is either a rate or refused with what is wrong', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...'0123456789/.-mohsdw x') }), (text) => {
      const parsed = parseRate(text, 'count');
      return parsed.ok
        ? /^\d+\/\d+[a-z]+$/.test(text)
        : parsed.fault.startsWith('must') || parsed.fault.startsWith('can');
    }),
  );
  t.end();
});
