import type { AlertHours } from '../../config/alert-model.ts';

const minuteMs = 60_000;
const minutesPerDay = 1440;

/** When the hours that `now` is in began, to the minute; undefined: it is in none. */
export function hoursBegan(now: number, hours: AlertHours): number | undefined {
  const { day, minute } = localTime(now, hours.zone);
  const { from, to, days } = hours;
  const since = (minutes: number) => Math.floor(now / minuteMs) * minuteMs - minutes * minuteMs;
  const endsNextDay = to <= from;
  if (days.includes(day) && minute >= from && (endsNextDay || minute < to)) return since(minute - from);
  const yesterday = (day + 6) % 7;
  if (endsNextDay && days.includes(yesterday) && minute < to) return since(minute + minutesPerDay - from);
  return undefined;
}

/** Building one takes longer than all that it is used for. Zones are few: they are those that configs name. */
const formats = new Map<string, Intl.DateTimeFormat>();

const dayNames = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

function localTime(now: number, zone: string): { readonly day: number; readonly minute: number } {
  const format =
    formats.get(zone) ??
    new Intl.DateTimeFormat('en-US', {
      ...{ timeZone: zone, hourCycle: 'h23' },
      ...{ weekday: 'short', hour: '2-digit', minute: '2-digit' },
    });
  formats.set(zone, format);
  const parts = new Map(format.formatToParts(now).map(({ type, value }) => [type, value]));
  return {
    day: dayNames.indexOf(parts.get('weekday') ?? ''),
    minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')),
  };
}
