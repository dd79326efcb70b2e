import type { Evaluation } from '../evaluation.ts';

/**
 * A built-in function. Its signature has checked the arguments, so the implementation declares their types
 * itself; any may be undefined.
 */
// biome-ignore lint/suspicious/noExplicitAny: the signature has checked them
export type Implementation = (run: Evaluation, ...args: any[]) => unknown;
