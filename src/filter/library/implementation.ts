import type { Evaluation } from '../evaluation.ts';

/**
 * A built-in function. Its arguments are what its signature lets through, so they are typed by the implementation
 * itself; any may be undefined.
 */
// biome-ignore lint/suspicious/noExplicitAny: the signature has checked them
export type Implementation = (run: Evaluation, ...args: any[]) => unknown;
