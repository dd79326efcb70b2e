import { getHeapStatistics } from 'node:v8';
import { leastMemoryBytes } from '../../config/least-memory.ts';

/** The budget without `server.memory`: half of what V8's heap may grow to, but never too small for one body. */
export function defaultMemoryBytes(bodyLimitBytes: number): number {
  return Math.max(Math.floor(getHeapStatistics().heap_size_limit / 2), leastMemoryBytes(bodyLimitBytes));
}
