/**
 * How many times as long as usual a test waits before it gives up: `PULLCORD_TEST_PATIENCE`, 1 unless set. For machines
 * that are slow, or busy with something else. Only failures take longer by it: each wait ends with what it waits for.
 */
const factor = Number(process.env.PULLCORD_TEST_PATIENCE || 1);
if (!(factor > 0)) throw new Error('PULLCORD_TEST_PATIENCE must be a number greater than 0');

/** A deadline in milliseconds, scaled. */
export function patience(ms: number): number {
  return ms * factor;
}

/** Resolves as `work` does, or rejects when `ms`, scaled, are over. */
export async function within<T>(work: T | Promise<T>, ms: number, what: string): Promise<T> {
  const expired = Promise.withResolvers<never>();
  const timer = setTimeout(() => expired.reject(new Error(`${what}: not within ${patience(ms)} ms`)), patience(ms));
  try {
    return await Promise.race([work, expired.promise]);
  } finally {
    clearTimeout(timer);
  }
}
