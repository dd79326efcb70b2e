import { type JsonObject, type JsonValue, pointerSegments, type RunOrigin } from '../../contract/index.ts';
import { parseLexically } from './lexical-json.ts';
import { maskBody } from './mask-body.ts';
import { maskSentBody, type RecordedBody } from './mask-sent-body.ts';
import { readRecordedBody } from './recorded-body.ts';
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
  const { body, text, event, masked: before, ...request } = parseLexically(line) as JsonObject;
  const all = (masked: readonly string[]): readonly JsonValue[] => [
    ...new Set([...(Array.isArray(before) ? before : []), ...masked]),
  ];
  // Every event of a recorded request is one.
  const shown = (input: JsonValue, masked: readonly string[]) =>
    event === undefined ? {} : { event: maskEvent(event as RunOrigin['event'], input, masked) };
  if (typeof text === 'string') {
    const { members, masked, text: rest = '', contentType } = maskedText(text, Object(request.headers), pointers);
    const headers = { ...Object(request.headers), ...(contentType !== undefined && { 'content-type': contentType }) };
    return JSON.stringify({ ...request, headers, ...shown(members, masked), masked: all(masked), text: rest });
  }
  if (body === undefined) return line;
  const isList = Array.isArray(body);
  const json = JSON.stringify(body);
  const sent = { bodyText: json, bodyJson: isList ? `{"items":${json}}` : json };
  const { text: rest = 'null', masked } = isList ? maskSentBody(sent, pointers) : maskBody(json, pointers);
  const input = isList ? { items: body } : body;
  return JSON.stringify({ ...request, ...shown(input, masked), masked: all(masked), body: parseLexically(rest) });
}

interface MaskedText extends RecordedBody {
  readonly members: JsonObject;
}

/** A pointer into a member means JSON in it. A member that is none is masked as a whole. */
function maskedText(bodyText: string, headers: Record<string, string>, pointers: readonly string[]): MaskedText {
  const inside = pointers.map(pointerSegments).filter(({ length }) => length > 1);
  const request = { bodyText, headers };
  const sent = readRecordedBody(request, [...new Set(inside.map(([name = '']) => name))]);
  if (sent !== undefined) return { ...maskSentBody(sent, pointers), members: sent.members };
  const whole = [...new Set(pointers.map((pointer) => pointer.replace(/^(\/[^/]*).*$/s, '$1')))];
  const plain = readRecordedBody(request);
  if (plain === undefined) return { text: bodyText, masked: [], members: {} };
  return { ...maskSentBody(plain, whole), members: plain.members };
}
