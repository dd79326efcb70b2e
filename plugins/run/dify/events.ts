import { createParser } from 'eventsource-parser';
import type { JsonObject } from '../../../src/contract/index.ts';
import { parseAgentJson } from '../../../src/run-kit/index.ts';
import { isObject } from '../json-object.ts';

/**
 * The events of a response, each a JSON object. Returns what is wrong with it, to follow "agent answered with", or
 * undefined at its end. A `ping` has no data, so it is no event here.
 */
export async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<JsonObject, string | undefined> {
  const arrived: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => arrived.push(data) });
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const chunk of body) {
    try {
      parser.feed(decoder.decode(chunk, { stream: true }));
    } catch {
      return 'text that is not UTF-8';
    }
    for (const data of arrived.splice(0)) {
      const parsed = parseAgentJson(data);
      if (!parsed.ok) return parsed.fault;
      if (isObject(parsed.value)) yield parsed.value;
    }
  }
  return undefined;
}
