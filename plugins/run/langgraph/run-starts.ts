import type { OutboundResponse } from '../../../src/contract/index.ts';
import { untilAborted } from '../until-aborted.ts';
import { type Answered, type Call, type LangGraphServer, placeOf } from './server.ts';

/** How long the server may still take to tell which run it has begun, once nobody waits for that, in milliseconds. */
const lingerMs = 2_000;

export interface RunStart {
  readonly call: Call;
  /** The thread that the run is in, if that is known before. */
  readonly threadId: string | undefined;
  /** Ends the start, and then the reading of its answer. */
  readonly signal: AbortSignal;
  /** Asked when `signal` has aborted: whether the server is to end the run. */
  readonly isGivenUp: () => boolean;
}

/** The answer to a start, of which what remains unread can be cut off. */
export interface Started {
  readonly response: OutboundResponse;
  readonly cut: () => void;
}

/**
 * Begins runs. A run of which nobody has heard where it is cannot be cancelled, and would be worked on to its end before
 * all others of its thread: so one that is given up is waited for a little, and then cancelled.
 */
export class RunStarts {
  readonly #server: LangGraphServer;
  readonly #ending = new Set<Promise<void>>();

  constructor(server: LangGraphServer) {
    this.#server = server;
  }

  /** Rejects with an OutboundError, or as soon as the signal aborts. */
  async begin(start: RunStart): Promise<Answered<Started>> {
    const { call, signal, isGivenUp } = start;
    const connection = new AbortController();
    const cut = (): void => connection.abort();
    const sent = this.#server.send(call, connection.signal);
    try {
      const answered = await untilAborted(signal, sent);
      signal.addEventListener('abort', cut, { once: true });
      return answered.ok ? { ok: true, value: { response: answered.value, cut } } : answered;
    } catch (error) {
      if (signal.aborted && isGivenUp()) this.#end(start, sent, cut);
      else cut();
      throw error;
    }
  }

  /** Resolves when there is nothing left to be cancelled. */
  async settled(): Promise<void> {
    await Promise.all(this.#ending);
  }

  #end({ threadId }: RunStart, sent: Promise<Answered<OutboundResponse>>, cut: () => void): void {
    const timer = setTimeout(cut, lingerMs);
    const ended = sent
      .then(async (answered) => {
        const place = answered.ok ? placeOf(answered.value) : undefined;
        cut();
        if (place !== undefined) await this.#server.cancel({ ...place, threadId: threadId ?? place.threadId });
      })
      // It has not begun, or nobody will ever know where.
      .catch(() => {})
      .finally(() => {
        clearTimeout(timer);
        this.#ending.delete(ended);
      });
    this.#ending.add(ended);
  }
}
