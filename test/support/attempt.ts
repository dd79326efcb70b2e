import type { Attempt } from '../../src/contract/index.ts';
import { HostAttempt } from '../../src/runtime/attempt/host-attempt.ts';

const silent = { info() {}, warn() {}, error() {} };
const progress = { emit() {}, save() {} };

/** An attempt as the gateway gives it to a plugin, ended by a signal of the test; by default never. */
export function attemptOf(signal: AbortSignal = new AbortController().signal, timeoutMs = Infinity): Attempt {
  const attempt = new HostAttempt({ startedAt: Date.now(), timeoutMs, signal, progress, log: silent });
  attempt.watch();
  return attempt;
}
