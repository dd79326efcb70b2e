import { setImmediate as nextTurn } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { notUtf8 } from './agent-json.ts';
import type { AgentResponse } from './agent-response.ts';

/** A server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export interface AgentEvent {
  readonly name: string | undefined;
  /** Not blank. */
  readonly data: string;
}

/** Where a later request may resume a stream that ends before the answer. */
export interface Resumption {
  /** The id of the last event that had one, with or without data. */
  lastEventId?: string;
  /** The pause before that request which the agent asked for, in milliseconds. */
  retryMs?: number;
}

/** How long one turn of the event loop may parse events, in milliseconds. */
const turnMs = 20;
/** How long the rest of a stream may take after its last event that counts, in milliseconds. */
const restMs = 1_000;

/**
 * The server-sent events of a response, to be iterated once. Leaving the loop cuts the connection, unless `complete` was
 * called: then the rest is read for up to a second, so that the connection can be reused.
 */
export class EventStream {
  readonly resumption: Resumption = {};
  readonly #agent: AgentResponse;
  readonly #events: AsyncGenerator<AgentEvent, void, undefined>;
  #end: () => void = () => {};
  #isOver = false;
  #isComplete = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(agent: AgentResponse) {
    this.#agent = agent;
    this.#events = eventsOf(agent.body, this.resumption);
  }

  /** Says that the answer is complete: the loop ends `withinMs` milliseconds from now, or with the stream. */
  complete(withinMs = 0): void {
    this.#isComplete = true;
    this.#timer ??= setTimeout(() => {
      this.#isOver = true;
      this.#end();
    }, withinMs);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<AgentEvent, void, undefined> {
    try {
      for (;;) {
        // Not a race with one promise of the end, which would keep every event until the end.
        const next = await new Promise<IteratorResult<AgentEvent, void> | undefined>((resolve, reject) => {
          this.#end = () => resolve(undefined);
          if (this.#isOver) this.#end();
          else this.#events.next().then(resolve, reject);
        });
        if (next === undefined || next.done) return;
        yield next.value;
      }
    } finally {
      clearTimeout(this.#timer);
      if (this.#isComplete) void this.#drain();
      else this.#agent.cut();
    }
  }

  async #drain(): Promise<void> {
    const timer = setTimeout(() => this.#agent.cut(), restMs);
    try {
      while (!(await this.#events.next()).done);
    } catch {
      // The connection is lost, which no longer matters.
    } finally {
      clearTimeout(timer);
    }
  }
}

/**
 * Parses server-sent events without events that have no data. Yields to the event loop now and then, so that a flood of
 * events stalls neither timers nor other runs. Throws an AgentFault if the bytes are not UTF-8.
 */
export async function* eventsOf(
  body: AsyncIterable<Uint8Array>,
  resumption: Resumption = {},
): AsyncGenerator<AgentEvent, void, undefined> {
  const arrived: AgentEvent[] = [];
  const parser = createParser({
    onEvent({ event: name, data, id }) {
      arrived.push({ name, data });
      if (id !== undefined && id !== '') resumption.lastEventId = id;
    },
    onRetry(retryMs) {
      resumption.retryMs = retryMs;
    },
  });
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let turnBeganAt = performance.now();
  const breathe = async (): Promise<void> => {
    if (performance.now() - turnBeganAt < turnMs) return;
    await nextTurn();
    turnBeganAt = performance.now();
  };
  for await (const chunk of body) {
    try {
      parser.feed(decoder.decode(chunk, { stream: true }));
    } catch {
      throw notUtf8();
    }
    await breathe();
    for (const event of arrived.splice(0)) {
      if (event.data.trim() !== '') yield event;
      await breathe();
    }
  }
}
