import type { JsonObject, JsonValue, RunOrigin } from '../../contract/index.ts';
import { parseLexically } from './lexical-json.ts';
import { maskBody } from './mask-body.ts';
import { maskEvent } from './recorded-origin.ts';

/** Masks more of an export than was masked when it was recorded. Input may split lines; output does not. */
export async function* maskLines(pieces: AsyncIterable<string>, pointers: readonly string[]): AsyncIterable<string> {
  if (pointers.length === 0) return yield* pieces;
  let rest = '';
  for await (const piece of pieces) {
    const lines = `${rest}${piece}`.split('\n');
    rest = lines.pop() ?? '';
    yield lines.map((line) => `${maskLine(line, pointers)}\n`).join('');
  }
  if (rest !== '') yield maskLine(rest, pointers);
}

function maskLine(line: string, pointers: readonly string[]): string {
  const { body, event, masked: before, ...request } = parseLexically(line) as JsonObject;
  if (body === undefined) return line;
  const { text = 'null', masked } = maskBody(JSON.stringify(body), pointers);
  const all: readonly JsonValue[] = [...new Set([...(Array.isArray(before) ? before : []), ...masked])];
  // Every event of a recorded request is one.
  const shown = event === undefined ? {} : { event: maskEvent(event as RunOrigin['event'], body, masked) };
  return JSON.stringify({ ...request, ...shown, masked: all, body: parseLexically(text) });
}
