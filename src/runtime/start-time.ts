import type { Exchange } from '../contract/index.ts';
import { formatNames, isDateTime } from '../schema/formats.ts';
import { type InvalidBody, invalidBody } from './body/trigger-body.ts';
import type { LiveTrigger } from './snapshot.ts';

/** The request, or the refusal if its `notBefore` is no time that the trigger allows. Null counts as absent. */
export function withNotBefore(trigger: LiveTrigger, exchange: Exchange): Exchange | InvalidBody {
  const { notBeforeMs } = trigger.config.run;
  if (notBeforeMs === undefined || trigger.body.fields === 'free') return exchange;
  const { notBefore, ...input } = exchange.input;
  if (notBefore === undefined) return exchange;
  if (notBefore === null) return { ...exchange, input };
  const time = timeOf(notBefore);
  if (time === undefined) return refused(`must be ${formatNames.get('date-time')}`);
  const isTooFar = time > exchange.receivedAt + notBeforeMs;
  return isTooFar ? refused('is further ahead than the trigger allows') : exchange;
}

/** When the run of a request, which is valid, starts at the earliest; undefined: at once. */
export function startTimeOf(trigger: LiveTrigger, { input, receivedAt }: Exchange): number | undefined {
  const { delayMs, notBeforeMs } = trigger.config.run;
  if (delayMs === undefined && notBeforeMs === undefined) return undefined;
  const isRead = notBeforeMs !== undefined && trigger.body.fields === 'checked';
  const asked = isRead ? (timeOf(input.notBefore) ?? 0) : 0;
  const startsAt = Math.max(receivedAt + (delayMs ?? 0), asked);
  return startsAt > receivedAt ? startsAt : undefined;
}

/** Milliseconds since the epoch. */
function timeOf(value: unknown): number | undefined {
  if (typeof value !== 'string' || !isDateTime(value)) return undefined;
  const time = Date.parse(value);
  return Number.isNaN(time) ? undefined : time;
}

function refused(message: string): InvalidBody {
  return invalidBody([{ pointer: '/notBefore', message }], `notBefore ${message}.`);
}
