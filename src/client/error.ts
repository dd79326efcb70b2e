import type { Problem } from './types.ts';

/** The gateway refused a request, or its run failed. */
export class PullcordError extends Error {
  override readonly name = 'PullcordError';
  readonly status: number;
  readonly code: string;
  readonly problem: Problem;
  /** How long to wait before the request is repeated, in milliseconds; undefined if the gateway does not say. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs?: number) {
    super(problem.detail ?? problem.title ?? problem.code);
    this.status = problem.status;
    this.code = problem.code;
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }
}
