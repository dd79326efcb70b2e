import { isSampled } from './traceparent.ts';

/** Decides when a request arrives whether its spans are exported even if nothing fails. */
export type Sampler = (traceId: string, parentFlags: number | undefined) => boolean;

export const alwaysOn: Sampler = () => true;
export const alwaysOff: Sampler = () => false;

/** As the caller decided; `root` decides of requests without a caller in a trace. */
export function parentBased(root: Sampler): Sampler {
  return (traceId, parentFlags) => (parentFlags === undefined ? root(traceId, undefined) : isSampled(parentFlags));
}

/** Of this share of traces all spans, by their ids: every service that samples by the ratio chooses the same traces. */
export function byRatio(ratio: number): Sampler {
  if (ratio >= 1) return alwaysOn;
  if (ratio <= 0) return alwaysOff;
  // The last 13 hexadecimal digits are random even where a service puts a time into the first, and are exact as a number.
  const least = (1 - ratio) * 16 ** 13;
  return (traceId) => Number.parseInt(traceId.slice(-13), 16) >= least;
}
