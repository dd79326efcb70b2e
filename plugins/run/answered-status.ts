/** Statuses that say "not now" rather than "not so". */
const passing: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

/** Whether the same may be answered otherwise later. */
export function isPassing(status: number): boolean {
  return passing.has(status);
}

/** Tells of a status other than success. */
export function answeredStatus(status: number): string {
  const isRedirect = status >= 300 && status < 400;
  return isRedirect ? `agent answered ${status}: redirects are not followed` : `agent answered ${status}`;
}
