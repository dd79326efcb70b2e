import { hash } from 'node:crypto';
import type { DebounceConfig } from '../config/model.ts';
import type { BodyReply, Exchange } from '../contract/index.ts';
import type { Debounce, NewRun } from '../engine/types/index.ts';
import { exhausted } from './filter-error.ts';
import { type FoundLimitValue, limitValue } from './limits/limit-value.ts';
import type { FoundRun } from './new-run.ts';
import { statusUrl } from './run-address.ts';
import type { LiveTrigger } from './snapshot.ts';
import { debounceStage } from './verdict.ts';

/** The run with the burst that its request belongs to. */
export function debouncedRun(config: DebounceConfig, run: NewRun, trigger: LiveTrigger, exchange: Exchange): FoundRun {
  try {
    const found = debounceOf(config, trigger, exchange, run);
    if (found.ok) return { ok: true, run: { ...run, debounce: found.debounce } };
    return { ok: false, error: { kind: 'filter_error', by: debounceStage, reason: found.message } };
  } catch (error) {
    return { ok: false, error: exhausted(debounceStage, error) };
  }
}

type FoundDebounce =
  | { readonly ok: true; readonly debounce: Debounce }
  | Extract<FoundLimitValue, { readonly ok: false }>;

/** Throws a WorkExhausted. */
function debounceOf(
  config: DebounceConfig,
  trigger: LiveTrigger,
  exchange: Exchange,
  { id: runId, conversation }: Pick<NewRun, 'id' | 'conversation'>,
): FoundDebounce {
  const { caller, ip } = exchange;
  const { waitMs, maxMs } = config;
  const request = { trigger, caller, ip, conversation, subject: () => exchange };
  const found = limitValue({ config, expression: trigger.debouncePer }, request);
  if (!found.ok) return found;
  const holder = holderOf(caller, conversation, runId);
  const names = [trigger.id, caller.id, holder, conversation ?? null, found.value];
  return { ok: true, debounce: { key: hash('sha256', JSON.stringify(names)), waitMs, maxMs } };
}

/**
 * Separates those who share the id of a caller and must not share a run: the holders of two tokens, and those of a public
 * credential, who read runs of their own sessions alone.
 */
function holderOf({ token, isPublic }: Exchange['caller'], conversation: string | undefined, runId: string): string {
  if (token !== undefined) return token.id;
  return isPublic && conversation === undefined ? runId : '';
}

/** The answer to each request of a burst. Nobody waits for a run that others may still replace. */
export function debouncedReply(trigger: LiveTrigger, runId: string, delayMs: number): BodyReply {
  const url = statusUrl(trigger, runId);
  return {
    status: 202,
    headers: { location: url, 'retry-after': String(Math.max(1, Math.ceil(delayMs / 1000))) },
    body: { runId, status: 'queued', statusUrl: url },
  };
}
