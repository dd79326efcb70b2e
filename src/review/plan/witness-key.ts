import type { Witness } from './plan.ts';

/** Counterexamples that differ in nothing but the trigger. */
export function witnessKey({ filter, change, found, tried }: Witness): string {
  return JSON.stringify([filter, change, found ?? tried]);
}
