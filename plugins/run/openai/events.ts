import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { createBreather } from '../breather.ts';

/** The events of a body, as they come. */
export async function* eventsOf(
  body: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<EventSourceMessage, void, undefined> {
  const decoder = new TextDecoder();
  const arrived: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => void arrived.push(event) });
  const breathe = createBreather();
  for (;;) {
    const { done, value } = await body.read();
    if (done) return;
    parser.feed(decoder.decode(value, { stream: true }));
    await breathe();
    for (const event of arrived.splice(0)) {
      yield event;
      await breathe();
    }
  }
}
