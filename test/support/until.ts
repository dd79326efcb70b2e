import { setImmediate, setTimeout } from 'node:timers/promises';
import { patience } from './patience.ts';

/** How long `until` looks whenever the event loop has turned; then it leaves the processor to what it waits for. */
const impatienceMs = 20;

/** Resolves when `condition` returns something; it is called again and again. Fails after `limitMs`, scaled. */
export async function until<T>(condition: () => T | Promise<T>, limitMs = 30_000): Promise<NonNullable<T>> {
  const startedAt = performance.now();
  for (;;) {
    const value = await condition();
    if (value) return value;
    const waitedMs = performance.now() - startedAt;
    if (waitedMs > patience(limitMs)) throw new Error(`not within ${patience(limitMs)} ms: ${condition}`);
    await (waitedMs < impatienceMs ? setImmediate() : setTimeout(5));
  }
}
