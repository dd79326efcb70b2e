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
  /** Asks for an answer piece by piece. The client makes the call; what it calls a stream is left alone. */
  stream(signal: AbortSignal): APIPromise<unknown>;
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
  /**
   * How long something that counts may still come, in milliseconds: 0 once the answer is there, whether or not the
   * endpoint ends the stream; undefined as long as it is not.
   */
  restMs(): number | undefined;
  /** The answer, when there are no more events. */
  end(): Ended;
}
