import type { FailedRunResult, JsonValue, RunEvent } from '../../../src/contract/index.ts';
import { type AgentResponse, EventStream, membersOf, parseAgentJson, parsed } from '../../../src/run-kit/index.ts';
import { graphFailure } from './graph-end.ts';
import { textOf } from './messages.ts';

/** What an answer says about its run: the last state of the graph, or how it failed. Neither: it ended too early. */
export interface Answer {
  readonly state?: JsonValue | undefined;
  readonly failure?: FailedRunResult;
}

/** Reads the state that is all of an answer. */
export async function readState(response: AgentResponse): Promise<Answer> {
  // Line breaks come before it, so that proxies do not take the connection for dead.
  return stateIn((await response.text()).trim());
}

/** Reads a stream of `messages-tuple` and `values`, and streams the text of AI messages. */
export async function* readStream(response: AgentResponse): AsyncGenerator<RunEvent, Answer, undefined> {
  const events = new EventStream(response);
  const speech = new Speech();
  let values = '';
  for await (const { name, data } of events) {
    // Only the end of the body comes after these two, and some servers and proxies keep it back.
    if (name === 'error' || name === 'end') events.complete();
    if (name === 'end') break;
    if (name === 'error') {
      const error = parseAgentJson(data);
      return { failure: graphFailure(error.ok ? error.value : undefined) };
    }
    // Parsed at the end alone: there is one for each step of the graph, of which the last one counts.
    if (name === 'values') values = data;
    if (name !== 'messages') continue;
    const text = speech.textOf(data);
    if (text !== '') yield { kind: 'delta', text };
  }
  return stateIn(values);
}

function stateIn(text: string): Answer {
  const state = text === '' ? null : parsed(text);
  return state === null ? {} : { state };
}

/** Separates the texts of two messages. */
const separator = '\n\n';

/** The text of AI messages as it is streamed. */
class Speech {
  readonly #chunked = new Set<JsonValue>();
  #speaker: JsonValue | undefined;

  /** Returns the text that an event adds: a message, or a chunk of one, with metadata. */
  textOf(data: string): string {
    const json = parseAgentJson(data);
    const [message] = json.ok && Array.isArray(json.value) ? json.value : [];
    const { type, id = null, content } = membersOf(message);
    if (type === 'AIMessageChunk') this.#chunked.add(id);
    // Some servers repeat the whole message after its chunks.
    else if (type !== 'ai' || this.#chunked.has(id)) return '';
    const text = textOf(content);
    if (text === '') return '';
    const isNext = this.#speaker !== undefined && this.#speaker !== id;
    this.#speaker = id;
    return isNext ? separator + text : text;
  }
}
