const day = /^\d{4}-\d{2}-\d{2}$/;
const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/**
 * Gives when a secret expires, in milliseconds since the epoch, or undefined if `text` is no expiry. A day stands for
 * its first moment in UTC; a time must carry its zone.
 */
export function parseExpiry(text: string): number | undefined {
  if (!day.test(text) && !time.test(text)) return undefined;
  const milliseconds = Date.parse(text);
  // Date.parse takes the 31st of any month; such a day comes back as another one.
  const date = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  const isCalendarDay = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text.slice(0, 10));
  return isCalendarDay && !Number.isNaN(milliseconds) ? milliseconds : undefined;
}
