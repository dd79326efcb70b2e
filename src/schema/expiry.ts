const day = /^\d{4}-\d{2}-\d{2}$/;
const time = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/;

/**
 * Returns when a secret expires, in milliseconds since the epoch, or undefined if `text` is not an expiry. A day means
 * its first moment in UTC; a time must have a zone.
 */
export function parseExpiry(text: string): number | undefined {
  if (!day.test(text) && !time.test(text)) return undefined;
  const milliseconds = Date.parse(text);
  // Date.parse accepts the 31st of any month and returns another day.
  const date = new Date(`${text.slice(0, 10)}T00:00:00Z`);
  const isCalendarDay = !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text.slice(0, 10));
  return isCalendarDay && !Number.isNaN(milliseconds) ? milliseconds : undefined;
}
