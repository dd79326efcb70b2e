import type { APIPromise } from 'openai';
import type { JsonValue, RunEvent } from '../../../src/contract/index.ts';
import { parseAgentJson } from '../../../src/run-kit/index.ts';
import { type Ended, failed } from './answer.ts';
import type { Turn } from './api.ts';
import { eventsOf } from './events.ts';
import { type Refusal, refusalOf, refusalOfError, refused } from './failures.ts';
import { memberOf } from './member.ts';

interface Json {
  readonly kind: 'json';
  readonly value: JsonValue;
}
interface Body {
  readonly kind: 'body';
  readonly body: ReadableStreamDefaultReader<Uint8Array>;
}

/** What the endpoint answers, as a whole. */
export async function answered(call: APIPromise<unknown>): Promise<Refusal | Json> {
  try {
    return parsed(await (await call.asResponse()).text());
  } catch (error) {
    return refusalOf(error);
  }
}

/** Tells the endpoint something. Gives why it does not do it; undefined: it does, whatever else it answers. */
export async function toldTo(call: APIPromise<unknown>): Promise<Refusal | undefined> {
  try {
    const response = await call.asResponse();
    void response.body?.cancel().catch(() => {});
    return undefined;
  } catch (error) {
    return refusalOf(error);
  }
}

/** What the endpoint answers, piece by piece. One that sends its answer as a whole all the same may do so. */
export async function* told(turn: Turn, signal: AbortSignal): AsyncGenerator<RunEvent, Ended | Refusal, undefined> {
  const opened = await open(turn.stream(signal));
  if (opened.kind === 'refused') return opened;
  if (opened.kind === 'json') return turn.answerOf(opened.value);
  const { body } = opened;
  // What follows is not waited for: a short rest is read by the outbound client, a long one costs its connection.
  const leave = (): void => void body.cancel().catch(() => {});
  const events = eventsOf(body);
  const reading = turn.reading();
  let rest: NodeJS.Timeout | undefined;
  try {
    for (;;) {
      const next = await nextOf(events);
      if (next.kind === 'refused') return next;
      if (next.kind === 'end') return reading.end();
      const text = reading.take(next.value);
      if (text !== '') yield { kind: 'delta', text };
      const restMs = reading.restMs();
      if (restMs === 0) return reading.end();
      if (restMs !== undefined) rest ??= setTimeout(leave, restMs);
    }
  } finally {
    clearTimeout(rest);
    leave();
  }
}

async function open(call: APIPromise<unknown>): Promise<Refusal | Json | Body> {
  try {
    const response = await call.asResponse();
    const [type = ''] = (response.headers.get('content-type') ?? '').split(';', 1);
    const isJson = /^application\/(.+\+)?json$/i.test(type.trim());
    if (isJson || response.body === null) return parsed(await response.text());
    return { kind: 'body', body: response.body.getReader() };
  } catch (error) {
    return refusalOf(error);
  }
}

/** The next event that holds something. */
async function nextOf(events: ReturnType<typeof eventsOf>): Promise<Refusal | Json | { readonly kind: 'end' }> {
  try {
    for (;;) {
      const next = await events.next();
      if (next.done) return { kind: 'end' };
      const { event, data } = next.value;
      const text = data.trim();
      if (text === '[DONE]') return { kind: 'end' };
      if (text !== '') return event === 'error' ? refusalIn(text) : unlessError(parsed(text));
    }
  } catch (error) {
    return refusalOf(error);
  }
}

/** An event that is named an error is one, whatever it holds. */
function refusalIn(text: string): Refusal {
  const json = parseAgentJson(text);
  const value = json.ok ? json.value : undefined;
  return refusalOfError(memberOf(value, 'error') ?? value);
}

function unlessError(json: Refusal | Json): Refusal | Json {
  const error = json.kind === 'json' ? memberOf(json.value, 'error') : undefined;
  return error ? refusalOfError(error) : json;
}

function parsed(text: string): Refusal | Json {
  const json = parseAgentJson(text);
  return json.ok ? { kind: 'json', value: json.value } : refused(failed(`agent answered with ${json.fault}`, false));
}
