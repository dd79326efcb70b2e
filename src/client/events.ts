/** A server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export interface ServerEvent {
  readonly id: string | undefined;
  readonly type: string;
  readonly data: string;
}

/** Parses a stream of server-sent events. Ends when the connection ends: an event that is not complete is dropped. */
export async function* serverEvents(body: ReadableStream<Uint8Array> | null): AsyncGenerator<ServerEvent> {
  if (body === null) return;
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  let event: { id?: string; type?: string; data?: string } = {};
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const lines = (rest + decoder.decode(value, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '') {
          if (event.data !== undefined) yield { id: event.id, type: event.type ?? 'message', data: event.data };
          event = {};
          continue;
        }
        const [, name, text = ''] = /^(\w+): ?(.*)$/.exec(line.replace(/\r$/, '')) ?? [];
        if (name === 'id') event.id = text;
        else if (name === 'event') event.type = text;
        else if (name === 'data') event.data = event.data === undefined ? text : `${event.data}\n${text}`;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
