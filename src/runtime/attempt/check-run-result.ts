import type {
  DetachedRun,
  FailedRunResult,
  FinalRunResult,
  RunResult,
  StreamedRun,
  SucceededRunResult,
} from '../../contract/index.ts';
import { checkUsage } from './check-usage.ts';

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
      const final = result as SucceededRunResult;
      // JSON has no undefined, and a store could not keep it.
      return checkRemains(final.output === undefined ? { ...final, output: null } : final);
    }
    case 'failed': {
      const { message, retryable, retryAfterMs, detail, ...rest } = result as FailedRunResult;
      if (typeof message !== 'string') return invalid('a failure without a message');
      const pause =
        Number.isFinite(retryAfterMs) && Number(retryAfterMs) >= 0 ? { retryAfterMs: Number(retryAfterMs) } : {};
      const said = typeof detail === 'string' && detail !== '' && { detail };
      return checkRemains({ ...rest, message, retryable: retryable === true, ...pause, ...said });
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

/** Checks what is stored beside a result. Usage that is none is dropped: an agent's count of tokens must not fail its run. */
function checkRemains(result: FinalRunResult): FinalRunResult {
  const { usage, memory } = result;
  if (memory !== undefined && !isJson(memory)) return invalid('memory that is not JSON');
  if (usage === undefined) return result;
  const { usage: _usage, ...rest } = result;
  const checked = checkUsage(usage);
  return checked === undefined ? rest : { ...rest, usage: checked };
}

function isJson(value: unknown): boolean {
  try {
    return JSON.stringify(value) !== undefined;
  } catch {
    return false;
  }
}

/** Whether a result ends the attempt. */
export function isFinalResult(result: RunResult): result is FinalRunResult {
  return result.kind !== 'stream' && result.kind !== 'detached';
}

function invalid(what: string): FailedRunResult {
  return { kind: 'failed', message: `the run plugin returned ${what}`, retryable: false };
}
