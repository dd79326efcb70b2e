/** Random numbers that are the same for a seed on any machine (mulberry32). */
export function randomFrom(seed: number) {
  let state = seed >>> 0;
  /** From 0 up to 1, which it never is. */
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  /** A whole number from 0 up to `end`, which it never is. */
  const below = (end: number): number => Math.floor(fraction() * end);
  return {
    fraction,
    below,
    of<T>(items: readonly T[]): T {
      return items[below(items.length)] as T;
    },
  };
}
