import fc from 'fast-check';
import t from 'tap';
import { calendarWindow } from '../../src/runtime/limits/calendar.ts';

/** The window that a time is in, as text. */
function windowAt(time: string, kind: 'day' | 'month', zone: string): string {
  const { startsAt, endsAt } = calendarWindow(Date.parse(time), kind, zone);
  return [startsAt, endsAt].map((at) => new Date(at).toISOString().replace(/:00\.000Z$/, 'Z')).join(' ');
}

t.test('a day begins at midnight in its zone, and lasts as long as the clocks say', (t) => {
  for (const [what, time, zone, expected] of [
    ['UTC', '2026-02-28T23:59:59.999Z', 'UTC', '2026-02-28T00:00Z 2026-03-01T00:00Z'],
    ['its first moment', '2026-03-01T00:00:00Z', 'UTC', '2026-03-01T00:00Z 2026-03-02T00:00Z'],
    ['winter', '2026-01-15T12:00:00Z', 'Europe/Berlin', '2026-01-14T23:00Z 2026-01-15T23:00Z'],
    ['23 hours', '2026-03-29T12:00:00Z', 'Europe/Berlin', '2026-03-28T23:00Z 2026-03-29T22:00Z'],
    ['25 hours', '2026-10-25T12:00:00Z', 'Europe/Berlin', '2026-10-24T22:00Z 2026-10-25T23:00Z'],
    ['half hours', '2026-06-01T20:00:00Z', 'Asia/Kolkata', '2026-06-01T18:30Z 2026-06-02T18:30Z'],
    ['a day that begins at 01:00', '2018-11-04T12:00:00Z', 'America/Sao_Paulo', '2018-11-04T03:00Z 2018-11-05T02:00Z'],
    ['the day before it', '2018-11-04T02:59:00Z', 'America/Sao_Paulo', '2018-11-03T03:00Z 2018-11-04T03:00Z'],
    ['another one', '2021-03-28T12:00:00Z', 'Asia/Beirut', '2021-03-27T22:00Z 2021-03-28T21:00Z'],
    [
      'a clock that goes back to 23:00',
      '2018-02-18T02:30:00Z',
      'America/Sao_Paulo',
      '2018-02-17T02:00Z 2018-02-18T03:00Z',
    ],
    ['a day that does not exist', '2011-12-30T09:00:00Z', 'Pacific/Apia', '2011-12-29T10:00Z 2011-12-30T10:00Z'],
    ['the day after it', '2011-12-30T11:00:00Z', 'Pacific/Apia', '2011-12-30T10:00Z 2011-12-31T10:00Z'],
  ] as const) {
    t.equal(windowAt(time, 'day', zone), expected, what);
  }
  t.end();
});

t.test('a month begins with its first day in its zone', (t) => {
  for (const [time, zone, expected] of [
    ['2026-02-28T23:59:59Z', 'UTC', '2026-02-01T00:00Z 2026-03-01T00:00Z'],
    ['2028-02-29T12:00:00Z', 'UTC', '2028-02-01T00:00Z 2028-03-01T00:00Z'],
    ['2026-12-31T22:59:59Z', 'Europe/Berlin', '2026-11-30T23:00Z 2026-12-31T23:00Z'],
    ['2026-12-31T23:00:00Z', 'Europe/Berlin', '2026-12-31T23:00Z 2027-01-31T23:00Z'],
    ['2026-03-31T12:00:00Z', 'Europe/Berlin', '2026-02-28T23:00Z 2026-03-31T22:00Z'],
    ['2026-01-31T12:00:00Z', 'Pacific/Kiritimati', '2026-01-31T10:00Z 2026-02-28T10:00Z'],
  ] as const) {
    t.equal(windowAt(time, 'month', zone), expected, time);
  }
  t.end();
});

t.test('property: every time is in one window, and windows follow each other without a gap', (t) => {
  const zone = fc.constantFrom(
    ...['UTC', 'Europe/Berlin', 'America/Sao_Paulo', 'Asia/Beirut', 'Pacific/Apia', 'America/St_Johns', 'Africa/Cairo'],
    ...['Asia/Kathmandu', 'Pacific/Kiritimati', 'Australia/Lord_Howe', 'America/Havana'],
  );
  const time = fc.integer({ min: Date.parse('1990-01-01'), max: Date.parse('2040-01-01') });
  fc.assert(
    fc.property(time, fc.constantFrom('day' as const, 'month' as const), zone, (now, kind, zone) => {
      const { startsAt, endsAt } = calendarWindow(now, kind, zone);
      if (!(startsAt <= now && now < endsAt)) return false;
      const first = calendarWindow(startsAt, kind, zone);
      const last = calendarWindow(endsAt - 1, kind, zone);
      const isOne = [first, last].every((other) => other.startsAt === startsAt && other.endsAt === endsAt);
      const before = calendarWindow(startsAt - 1, kind, zone);
      const after = calendarWindow(endsAt, kind, zone);
      return isOne && before.endsAt === startsAt && after.startsAt === endsAt;
    }),
    { numRuns: 300 },
  );
  t.end();
});

t.test('a clock that goes back a minute after midnight repeats no window', (t) => {
  // At 00:01 it was 23:01 again, of the day before.
  const change = Date.parse('2006-10-29T02:31:00Z');
  let previous = calendarWindow(change - 3 * 3_600_000, 'day', 'America/St_Johns');
  for (let now = change - 3 * 3_600_000; now < change + 3 * 3_600_000; now += 60_000) {
    const window = calendarWindow(now, 'day', 'America/St_Johns');
    t.ok(window.startsAt === previous.startsAt || window.startsAt === previous.endsAt);
    t.ok(window.startsAt <= now && now < window.endsAt);
    previous = window;
  }
  t.end();
});
