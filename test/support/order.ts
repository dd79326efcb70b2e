import { patience } from './patience.ts';

/**
 * Milliseconds that things are made to hang. What has to wait for one of them waits for as long as it hangs; what is
 * only slow, since the machine is, ends before it once that hangs for long enough. Each hangs a processor: the first
 * round only lets processes start, and the next ones are no longer than they need to be.
 */
export const hangingMs = [100, 600, 2000, patience(16_000)];

/**
 * Whether `work` ends before any of what hangs does: a proof by the order of events, whatever the machine.
 * @param hang starts what hangs; each resolves to whether it hung for that long, and was not turned away before
 */
export async function endsBeforeHanging(
  hang: (limitMs: number) => readonly Promise<boolean>[],
  work: () => Promise<void>,
): Promise<boolean> {
  for (const limitMs of hangingMs) {
    let ended = 0;
    const hanging = hang(limitMs).map(async (one) => {
      if (await one) ended += 1;
    });
    await work();
    const isFirst = ended === 0;
    await Promise.all(hanging);
    if (isFirst) return true;
  }
  return false;
}
