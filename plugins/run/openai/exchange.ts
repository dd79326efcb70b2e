import type { APIPromise } from 'openai';
import { type JsonValue, OutboundError, parseAgentJson, type RunEvent } from '../../../src/contract/index.ts';
import { type Ended, failed } from './answer.ts';
import type { Turn } from './api.ts';
import { type Refusal, refusalOf, refused } from './failures.ts';

/** What was sent in place of a stream, or the events of it. */
type Opened = Refusal | { readonly kind: 'json'; readonly value: JsonValue } | EventSource;
interface EventSource {
  readonly kind: 'events';
  readonly events: AsyncIterator<unknown>;
}

/** What the endpoint answers, as a whole. */
export async function answered(call: APIPromise<unknown>): Promise<Refusal | { kind: 'json'; value: JsonValue }> {
  try {
    return parsed(await (await call.asResponse()).text());
  } catch (error) {
    return refusalOf(error);
  }
}

/** What the endpoint answers, piece by piece. One that sends its answer as a whole all the same may do so. */
export async function* told(turn: Turn, signal: AbortSignal): AsyncGenerator<RunEvent, Ended | Refusal, undefined> {
  const opened = await open(turn.stream(signal));
  if (opened.kind === 'refused') return opened;
  if (opened.kind === 'json') return turn.answerOf(opened.value);
  const reading = turn.reading();
  const { events } = opened;
  try {
    for (;;) {
      const next = await nextOf(events);
      if (next.kind === 'refused') return next;
      if (next.kind === 'end') return reading.end();
      const text = reading.take(next.event);
      if (text !== '') yield { kind: 'delta', text };
    }
  } finally {
    await events.return?.();
  }
}

async function open(call: APIPromise<AsyncIterable<unknown>>): Promise<Opened> {
  try {
    const response = await call.asResponse();
    const [type = ''] = (response.headers.get('content-type') ?? '').split(';', 1);
    if (/^application\/(.+\+)?json$/i.test(type.trim())) return parsed(await response.text());
    return { kind: 'events', events: (await call)[Symbol.asyncIterator]() };
  } catch (error) {
    return refusalOf(error);
  }
}

async function nextOf(
  events: AsyncIterator<unknown>,
): Promise<Refusal | { kind: 'end' } | { kind: 'event'; event: unknown }> {
  try {
    const next = await events.next();
    return next.done ? { kind: 'end' } : { kind: 'event', event: next.value };
  } catch (error) {
    // The client itself reads a little of what it was sent, and trusts it more than one should.
    const isUnreadable = error instanceof SyntaxError || error instanceof TypeError;
    if (isUnreadable && OutboundError.from(error) === undefined) {
      return refused(failed('agent answered with a stream that cannot be read', false));
    }
    return refusalOf(error);
  }
}

function parsed(text: string): Refusal | { kind: 'json'; value: JsonValue } {
  const json = parseAgentJson(text);
  return json.ok ? { kind: 'json', value: json.value } : refused(failed(`agent answered with ${json.fault}`, false));
}
