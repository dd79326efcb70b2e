import type { Part } from '@a2a-js/sdk';
import type { JsonValue } from '../../../src/contract/index.ts';

/** The texts of parts, with data parts as JSON, none of them empty. Files have none. */
export function piecesOf(parts: readonly Part[]): string[] {
  return parts.flatMap(({ content }) => {
    switch (content?.$case) {
      case 'text':
        return isWord(content.value) ? [content.value] : [];
      case 'data':
        return [JSON.stringify(content.value ?? null)];
      default:
        return [];
    }
  });
}

/** The text of a message in one piece: its parts are lines, where those of an artifact may be anything that was streamed. */
export function messagePieces(parts: readonly Part[]): string[] {
  const pieces = piecesOf(parts);
  return pieces.length === 0 ? [] : [pieces.join('\n')];
}

/** Whether there are words in it. */
export function hasText(parts: readonly Part[]): boolean {
  return parts.some(({ content }) => content?.$case === 'text' && isWord(content.value));
}

/** The text of parts that have words in them, else their data: the value of a single part, the values of several. */
export function outputOf(parts: readonly Part[], text: () => string): JsonValue {
  if (hasText(parts)) return text();
  const values = parts.flatMap(({ content }) =>
    content?.$case === 'data' ? [(content.value ?? null) as JsonValue] : [],
  );
  return (values.length > 1 ? values : values[0]) ?? null;
}

/** What the SDK says is a text need not be one: it takes what an agent of 0.3 sends as it is. */
function isWord(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
