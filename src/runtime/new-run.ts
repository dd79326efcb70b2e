import type { Exchange } from '../contract/index.ts';
import { conversationId, type NewRun } from '../engine/types/index.ts';
import type { FoundBy } from './filter-error.ts';
import { originOf } from './origin.ts';
import { newRunId } from './run-id.ts';
import type { LiveTrigger } from './snapshot.ts';
import { startTimeOf } from './start-time.ts';

/** A run with a value of the request, or why that value cannot be found. */
export type FoundRun = FoundBy<{ readonly ok: true; readonly run: NewRun }>;

/** The run of a request that has passed filters and dedup. */
export function newRun(
  trigger: LiveTrigger,
  exchange: Exchange,
  { inputMemory, trace }: Pick<NewRun, 'inputMemory' | 'trace'>,
): NewRun {
  const { sessionId, caller } = exchange;
  const { scope, onBusy } = trigger.config.sessions;
  const named = {
    project: trigger.project.id,
    trigger: trigger.key,
    caller: caller.id,
    sessionId,
  };
  return {
    id: newRunId(),
    ...named,
    secret: caller.credential,
    requestId: exchange.requestId,
    trace,
    conversation: conversationId(named, scope),
    revision: trigger.revision,
    replayOf: undefined,
    input: exchange.input,
    origin: originOf(exchange, trigger.bindings),
    policy: trigger.policy,
    acceptedAt: exchange.receivedAt,
    startsAt: startTimeOf(trigger, exchange),
    uses: usesOf(caller),
    onBusy: onBusy === 'enqueue' ? undefined : onBusy,
    inputMemory,
  };
}

function usesOf({ token }: Exchange['caller']): NewRun['uses'] {
  return token?.uses === undefined
    ? undefined
    : { id: token.id, limit: token.uses, until: token.expiresAt + inFlightMs };
}

/** A request that arrived before its token ended may still be on its way: `server.requestTimeout` is a day at most. */
const inFlightMs = 25 * 3_600_000;
