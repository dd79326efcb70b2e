import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { JsonValue, RunEvent } from '../../../src/contract/index.ts';
import { parseAgentJson } from '../../../src/run-kit/index.ts';
import { createBreather } from '../breather.ts';
import { objectOf } from './memory.ts';

/** What a stream has told at its end. */
export interface Told {
  /** The last state of the graph, as JSON. It is that of the end only if the run has ended. */
  readonly values: string | undefined;
  /** What the run failed with, as JSON. */
  readonly error: string | undefined;
}

/** What stands between the texts of two messages. */
const separator = '\n\n';

/**
 * Reads a stream of `messages-tuple` and `values` to the event that ends it, or to its own end, and tells the text of AI
 * messages as it comes. What is left of the body is the caller's.
 */
export async function* readEvents(body: AsyncIterator<Uint8Array>): AsyncGenerator<RunEvent, Told, undefined> {
  const decoder = new TextDecoder();
  const arrived: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => arrived.push(event) });
  const speech = new Speech();
  let values: string | undefined;
  const breathe = createBreather();
  for (;;) {
    const { done, value: chunk } = await body.next();
    if (done) return { values, error: undefined };
    parser.feed(decoder.decode(chunk, { stream: true }));
    for (const { event, data } of arrived.splice(0)) {
      await breathe();
      if (event === 'values') values = data;
      // Nothing comes after these but the end of the body, which some servers and proxies keep back.
      else if (event === 'error') return { values, error: data };
      else if (event === 'end') return { values, error: undefined };
      else if (event === 'messages') {
        const text = speech.textOf(data);
        if (text !== '') yield { kind: 'delta', text };
      }
    }
  }
}

/** What AI messages say, piece by piece. */
class Speech {
  readonly #chunked = new Set<JsonValue>();
  #speaker: JsonValue | undefined;

  /** The text that an event adds: a message, or a chunk of one, with metadata. */
  textOf(data: string): string {
    const parsed = parseAgentJson(data);
    const [message] = parsed.ok && Array.isArray(parsed.value) ? parsed.value : [];
    const { type, id = null, content } = objectOf(message);
    if (type === 'AIMessageChunk') this.#chunked.add(id);
    // Some servers send the whole message too, after its chunks.
    else if (type !== 'ai' || this.#chunked.has(id)) return '';
    const text = textOf(content);
    if (text === '') return '';
    const isNext = this.#speaker !== undefined && this.#speaker !== id;
    this.#speaker = id;
    return isNext ? separator + text : text;
  }
}

/** The text in the content of a message: a string, or blocks of which those of text count. */
export function textOf(content: JsonValue | undefined): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((block: JsonValue) => (typeof block === 'string' ? block : textOfBlock(block))).join('');
}

function textOfBlock(block: JsonValue): string {
  const { type, text } = objectOf(block);
  return type === 'text' && typeof text === 'string' ? text : '';
}
