import type { DetachedRun, FailedRunResult, FinalRunResult, RunResult, StreamedRun } from '../../contract/index.ts';

/**
 * Checks what a run plugin returned: one in plain JavaScript may return anything, and nothing behind this point expects
 * it. An invalid result is a failure that is not retryable.
 */
export function checkRunResult(result: unknown): RunResult {
  if (typeof result !== 'object' || result === null) return invalid('no result');
  const { kind } = result as { readonly kind?: unknown };
  switch (kind) {
    case 'succeeded':
    case 'input_required': {
      const final = result as FinalRunResult & { readonly kind: 'succeeded' };
      // JSON has no undefined, and a store could not keep it.
      return final.output === undefined ? { ...final, output: null } : final;
    }
    case 'failed': {
      const { message, retryable, retryAfterMs, ...rest } = result as FailedRunResult;
      if (typeof message !== 'string') return invalid('a failure without a message');
      const pause =
        Number.isFinite(retryAfterMs) && Number(retryAfterMs) >= 0 ? { retryAfterMs: Number(retryAfterMs) } : {};
      return { ...rest, message, retryable: retryable === true, ...pause };
    }
    case 'stream':
      if (typeof Object((result as StreamedRun).events).next !== 'function') return invalid('a stream without events');
      return result as StreamedRun;
    case 'detached':
      if ((result as DetachedRun).handle === undefined) return invalid('detached work without a handle');
      return result as DetachedRun;
    default:
      return invalid('an unknown kind of result');
  }
}

/** Whether a result ends the attempt. */
export function isFinalResult(result: RunResult): result is FinalRunResult {
  return result.kind !== 'stream' && result.kind !== 'detached';
}

function invalid(what: string): FailedRunResult {
  return { kind: 'failed', message: `the run plugin returned ${what}`, retryable: false };
}
