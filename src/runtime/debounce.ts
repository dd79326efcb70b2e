import { hash } from 'node:crypto';
import type { DebounceConfig } from '../config/model.ts';
import type { BodyReply, Exchange } from '../contract/index.ts';
import type { NewRun } from '../engine/types/index.ts';
import { foundBy } from './filter-error.ts';
import { limitedRequest, limitValue } from './limits/limit-value.ts';
import type { FoundRun } from './new-run.ts';
import { statusUrl } from './run-address.ts';
import type { LiveTrigger } from './snapshot.ts';
import { debounceStage } from './verdict.ts';

/** The run with the burst that its request belongs to. */
export function debouncedRun(config: DebounceConfig, run: NewRun, trigger: LiveTrigger, exchange: Exchange): FoundRun {
  const per = { config, expression: trigger.debouncePer };
  const found = foundBy(debounceStage, () => limitValue(per, limitedRequest(trigger, exchange, run)));
  if (!found.ok) return found;
  const { caller } = exchange;
  const { id, conversation } = run;
  const names = [trigger.id, caller.id, holderOf(caller, conversation, id), conversation ?? null, found.value];
  const { waitMs, maxMs } = config;
  return { ok: true, run: { ...run, debounce: { key: hash('sha256', JSON.stringify(names)), waitMs, maxMs } } };
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
