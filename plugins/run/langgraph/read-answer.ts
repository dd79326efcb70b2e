import type { FinalRunResult, JsonValue, OutboundResponse, RunEvent } from '../../../src/contract/index.ts';
import { parseAgentJson } from '../../../src/run-kit/index.ts';
import { failed } from '../failed.ts';
import { readRest } from '../read-rest.ts';
import { readEvents, type Told } from './events.ts';
import { graphFailure } from './interpretation.ts';
import type { Started } from './run-starts.ts';

/** What was read of a run: its state, or how it failed. Neither: it says nothing of the end. */
export interface Read {
  readonly state?: JsonValue | undefined;
  readonly failure?: FinalRunResult;
}

/** Reads a stream to the end of the run, and tells what comes before. */
export async function* readStream({ response, cut }: Started): AsyncGenerator<RunEvent, Read, undefined> {
  const body = response.body[Symbol.asyncIterator]();
  let isRead = false;
  try {
    const told = yield* readEvents(body);
    isRead = true;
    void readRest(body, cut);
    return readOf(told);
  } finally {
    if (!isRead) cut();
  }
}

function readOf({ values, error }: Told): Read {
  if (error !== undefined) {
    const parsed = parseAgentJson(error);
    return { failure: graphFailure(parsed.ok ? parsed.value : undefined) };
  }
  return values === undefined ? {} : parsedState(values);
}

/** Reads the state that is all of an answer. */
export async function readState(response: OutboundResponse): Promise<Read> {
  // Line breaks come before it, so that the connection is not taken for dead.
  const text = (await response.bytes()).toString('utf8').trim();
  return text === '' ? {} : parsedState(text);
}

function parsedState(text: string): Read {
  const parsed = parseAgentJson(text);
  if (!parsed.ok) return { failure: failed(`agent answered with ${parsed.fault}`) };
  return parsed.value === null ? {} : { state: parsed.value };
}
