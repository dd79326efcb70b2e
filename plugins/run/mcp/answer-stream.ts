import { setImmediate } from 'node:timers/promises';
import type { RequestId } from '@modelcontextprotocol/client';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Allowance } from './allowance.ts';
import { isAnswerTo, type Message, messageIn } from './message.ts';

export interface AnswerStreamOptions {
  readonly id: RequestId;
  readonly allowance: Allowance;
  readonly onRequest: (request: Extract<Message, { kind: 'request' }>) => void;
}

/** So many events are read before others have their turn: timers, and whoever cancels. */
const eventsAtOnce = 500;

/**
 * Makes of a stream of events one that the SDK can be given: the answer to a request, which ends it, and from where it
 * can be resumed. The SDK would look closely at every message, and reply to all that are requests.
 */
export async function* answerStream(
  body: AsyncIterable<Uint8Array>,
  { id, allowance, onRequest }: AnswerStreamOptions,
): AsyncGenerator<Uint8Array> {
  const events: EventSourceMessage[] = [];
  let resumption = '';
  const parser = createParser({
    onEvent: (event) => events.push(event),
    onRetry: (pauseMs) => (resumption = `retry: ${pauseMs}\n`),
  });
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    allowance.take(events.length);
    let lastId: string | undefined;
    for (const [index, event] of events.splice(0).entries()) {
      if (index % eventsAtOnce === eventsAtOnce - 1) await setImmediate();
      if (event.id) lastId = event.id;
      const message = event.event === undefined || event.event === 'message' ? messageIn(event.data) : undefined;
      if (message?.kind === 'request') onRequest(message);
      if (isAnswerTo(id, message)) {
        yield Buffer.from(`data: ${event.data.replaceAll('\n', '\ndata: ')}\n\n`);
        return;
      }
    }
    if (lastId !== undefined) resumption += `id: ${lastId}\ndata: \n\n`;
    if (resumption !== '') yield Buffer.from(resumption);
    resumption = '';
    await setImmediate();
  }
}
