const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const;

/** How long ago something was, in its largest unit: 12s, 3m, 2h, 5d. */
export function compactAge(sinceMs: number, now = Date.now()): string {
  const ageMs = Math.max(0, now - sinceMs);
  const [unit, size] = units.find(([, one]) => ageMs >= one) ?? ['s', 1000];
  return `${Math.floor(ageMs / size)}${unit}`;
}

/** Of a time in ISO 8601, as lists have it. */
export function ageOf(time: unknown, now?: number): string {
  return compactAge(Date.parse(String(time)), now);
}
