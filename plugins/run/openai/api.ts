import type { APIPromise } from 'openai';
import type { FailedRunResult, JsonValue } from '../../../src/contract/index.ts';
import type { Answer, Ended } from './answer.ts';
import type { Refusal } from './failures.ts';
import type { Prompt } from './prompt.ts';

/** One of the two protocols of the endpoint. */
export interface Api {
  /** Makes the next exchange of a conversation ready, of which `memory` is what the session remembers. */
  turn(prompt: Prompt, memory: JsonValue | undefined): Turn;
}

export interface Turn {
  /** Asks for an answer as a whole. */
  ask(signal: AbortSignal): APIPromise<unknown>;
  /** Asks for an answer piece by piece. */
  stream(signal: AbortSignal): APIPromise<AsyncIterable<unknown>>;
  answerOf(value: JsonValue): Ended;
  reading(): Reading;
  /** What a session is to remember after the answer; undefined: what it did. */
  memoryAfter(answer: Answer): JsonValue | undefined;
  /** What becomes of a run whose call is refused. */
  failureOf(refusal: Refusal): FailedRunResult;
}

/** Makes an answer of the events of a stream. */
export interface Reading {
  /** Takes the next event; gives the text that it adds. */
  take(event: unknown): string;
  /** The answer, when there are no more events. */
  end(): Ended;
}
