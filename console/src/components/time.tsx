import { signal } from '@preact/signals';

const storedAs = 'pullcord-times';

export const timeZone = signal<'local' | 'utc'>(localStorage.getItem(storedAs) === 'utc' ? 'utc' : 'local');

export function toggleTimeZone(): void {
  timeZone.value = timeZone.value === 'utc' ? 'local' : 'utc';
  localStorage.setItem(storedAs, timeZone.value);
}

/** A time as `2027-06-30 12:00:00`, in the zone that is chosen, without its name. */
export function timeText(at: number, withMs = false): string {
  const date = new Date(at);
  const shifted = timeZone.value === 'utc' ? date : new Date(at - date.getTimezoneOffset() * 60_000);
  return shifted
    .toISOString()
    .slice(0, withMs ? 23 : 19)
    .replace('T', ' ');
}

/** A point in time. Its tooltip has it in both zones. @param at milliseconds since the epoch, or ISO 8601 */
export function Time({ at, withMs = false }: { readonly at: number | string; readonly withMs?: boolean }) {
  const time = typeof at === 'number' ? at : Date.parse(at);
  if (Number.isNaN(time)) return <>{String(at)}</>;
  const iso = new Date(time).toISOString();
  const both = `${iso.replace('T', ' ').replace('Z', '')} UTC, ${new Date(time).toLocaleString()} local`;
  return (
    <time dateTime={iso} title={both}>
      {timeText(time, withMs)}
      {timeZone.value === 'utc' ? ' UTC' : ''}
    </time>
  );
}
