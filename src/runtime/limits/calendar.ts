/** A day or a month of the calendar of a zone, in milliseconds since the epoch. */
export interface CalendarWindow {
  readonly startsAt: number;
  /** When the next one starts. */
  readonly endsAt: number;
}

/** A date, as `Date.UTC` takes it. */
interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/**
 * The window that `now` is in. Windows follow each other without a gap, whatever the clocks of the zone do: a day may
 * last 23 or 25 hours, begin at 01:00, or not exist.
 */
export function calendarWindow(now: number, kind: 'day' | 'month', zone: string): CalendarWindow {
  const dayAt = localDays(zone);
  const { year, month, day } = dayAt(now);
  const startOf = (step: number): number =>
    startOfDay(kind === 'day' ? Date.UTC(year, month, day + step) : Date.UTC(year, month + step, 1), dayAt);
  // A clock that goes back over midnight shows a date of yesterday again.
  let step = 0;
  let startsAt = startOf(step);
  while (startsAt > now) startsAt = startOf(--step);
  let endsAt = startOf(step + 1);
  while (endsAt <= now) [startsAt, endsAt] = [endsAt, startOf(++step + 1)];
  return { startsAt, endsAt };
}

type LocalDays = (time: number) => Day;

/** No zone is further from UTC. */
const farthestMs = 24 * 3_600_000;

/**
 * When the clocks of the zone first show a date or, if it does not exist, a later one.
 * @param midnight when the date begins in UTC
 */
function startOfDay(midnight: number, dayAt: LocalDays): number {
  let [before, from] = [midnight - farthestMs, midnight + farthestMs];
  while (from - before > 1) {
    const middle = Math.floor((before + from) / 2);
    const local = dayAt(middle);
    if (Date.UTC(local.year, local.month, local.day) >= midnight) from = middle;
    else before = middle;
  }
  return from;
}

/** Building one takes longer than all that it is used for. Zones are few: they are those that configs name. */
const known = new Map<string, LocalDays>();

function localDays(zone: string): LocalDays {
  const found = known.get(zone) ?? makeLocalDays(zone);
  known.set(zone, found);
  return found;
}

function makeLocalDays(timeZone: string): LocalDays {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, calendar: 'gregory', numberingSystem: 'latn' },
    ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
  });
  return (time) => {
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
    return { year: parts.get('year') ?? 0, month: (parts.get('month') ?? 1) - 1, day: parts.get('day') ?? 1 };
  };
}
