import type { JsonValue, RunEvent } from '../../../src/contract/index.ts';
import {
  type AgentCalls,
  type AgentResponse,
  EventStream,
  parseAgentJson,
  parsed,
} from '../../../src/run-kit/index.ts';
import type { Answer, Ended } from './answer.ts';
import { type Refusal, refusalIn, refusalOf } from './failures.ts';
import { memberOf } from './member.ts';
import type { Prompt } from './prompt.ts';

/** One of the two protocols of the endpoint. */
export interface Api {
  /** Prepares the next exchange of a conversation, of which `memory` is what the session remembers. */
  turn(prompt: Prompt, memory: JsonValue | undefined): Turn;
}

export interface Turn {
  readonly path: string;
  body(stream: boolean): object;
  answerOf(response: JsonValue): Ended;
  reading(): Reading;
  /** What the session remembers after the answer; undefined: what it did before. */
  memoryAfter(answer: Answer): JsonValue | undefined;
  failureOf(refusal: Refusal): Refusal['failure'];
}

/** Assembles an answer from the events of a stream. */
export interface Reading {
  /** Takes the next event; returns the text that it adds. */
  take(event: JsonValue): string;
  /** How long something that counts may still come, in milliseconds: 0 once the answer is complete; undefined before. */
  restMs(): number | undefined;
  end(): Ended;
}

/** Asks for an answer. An endpoint that does not stream may send it as a whole. */
export async function* ask(
  agent: AgentCalls,
  turn: Turn,
  stream: boolean,
  signal: AbortSignal,
): AsyncGenerator<RunEvent, Ended | Refusal, undefined> {
  const response = await agent.send({ path: turn.path, body: turn.body(stream) }, signal);
  const refusal = await refusalIn(response);
  if (refusal !== undefined) return refusal;
  if (!stream || isJson(response)) return turn.answerOf(await response.json());
  const reading = turn.reading();
  const events = new EventStream(response);
  for await (const { name, data } of events) {
    if (data.trim() === '[DONE]') {
      events.complete();
      break;
    }
    const event = name === 'error' ? errorEvent(data) : parsed(data);
    const error = memberOf(event, 'error');
    if (name === 'error' || error) return refusalOf(error ?? event);
    const text = reading.take(event);
    if (text !== '') yield { kind: 'delta', text };
    const restMs = reading.restMs();
    if (restMs !== undefined) events.complete(restMs);
    if (restMs === 0) break;
  }
  return reading.end();
}

function isJson({ status, mediaType }: AgentResponse): boolean {
  return status === 204 || status === 205 || /^application\/(.+\+)?json$/.test(mediaType);
}

/** An event that is named `error` is one, whatever it holds. */
function errorEvent(data: string): JsonValue {
  const json = parseAgentJson(data);
  return json.ok ? json.value : null;
}
