import { EventSourceParserStream } from 'eventsource-parser/stream';
import { ApiError, openApi } from './client.ts';
import { signedOutBy } from './session.ts';

/** Pauses before it connects again, in milliseconds. */
const pauses = { first: 500, longest: 10_000 };

export interface StreamEvent {
  readonly event: string;
  readonly id: string | undefined;
  readonly data: string;
}

export interface StreamHandlers {
  onEvent(event: StreamEvent): void;
  /** `open`: events arrive; `waiting`: it connects again after a while. */
  onState(state: 'connecting' | 'open' | 'waiting' | 'ended', error?: ApiError): void;
}

/**
 * Follows a stream of events (Server-Sent Events) of the admin API until it is aborted or ends by a refusal. A connection that is lost is
 * opened again, and continues behind the last event that arrived. `EventSource` cannot send a token, so this is `fetch`.
 * @param endsWith the name of the event behind which nothing follows; undefined: the stream has no end
 */
export async function followStream(
  path: string,
  { onEvent, onState }: StreamHandlers,
  signal: AbortSignal,
  endsWith?: string,
): Promise<void> {
  let lastId: string | undefined;
  let pauseMs = pauses.first;
  while (!signal.aborted) {
    let failure: ApiError | undefined;
    try {
      onState('connecting');
      const headers: Record<string, string> = lastId === undefined ? {} : { 'last-event-id': lastId };
      const response = await openApi(path, { accept: 'text/event-stream', ...headers }, signal);
      onState('open');
      pauseMs = pauses.first;
      const events = response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream());
      for await (const { event = 'message', id, data } of events ?? []) {
        lastId = id ?? lastId;
        onEvent({ event, id, data });
        if (event === endsWith) return onState('ended');
      }
    } catch (error) {
      if (signal.aborted || signedOutBy(error)) return;
      failure = error instanceof ApiError ? error : new ApiError('The connection was lost.');
      const status = failure.problem?.status ?? 503;
      // It would be refused again.
      if (status < 500 && status !== 429) return onState('ended', failure);
    }
    onState('waiting', failure);
    await pause(pauseMs, signal);
    pauseMs = Math.min(pauseMs * 2, pauses.longest);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = window.setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      window.clearTimeout(timer);
      resolve();
    });
  });
}
