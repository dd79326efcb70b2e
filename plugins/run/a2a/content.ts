import type { Part } from '@a2a-js/sdk';
import type { JsonValue } from '../../../src/contract/index.ts';

/** The texts of parts, none of them empty: data parts are JSON, files have none. */
export function piecesOf(parts: readonly Part[]): string[] {
  return parts.flatMap(({ content }) => {
    switch (content?.$case) {
      case 'text':
        return isText(content.value) ? [content.value] : [];
      case 'data':
        return [JSON.stringify(content.value ?? null)];
      default:
        return [];
    }
  });
}

/** The text of a message as one piece. Its parts are lines, whereas those of an artifact are joined as they were streamed. */
export function messagePieces(parts: readonly Part[]): string[] {
  const pieces = piecesOf(parts);
  return pieces.length === 0 ? [] : [pieces.join('\n')];
}

/** Whether a part is text that is not empty. */
export function hasText(parts: readonly Part[]): boolean {
  return parts.some(({ content }) => content?.$case === 'text' && isText(content.value));
}

/** The text of parts if there is any, else their data: the value of a single part, a list of the values of several. */
export function outputOf(parts: readonly Part[], text: () => string): JsonValue {
  if (hasText(parts)) return text();
  const values = parts.flatMap(({ content }) =>
    content?.$case === 'data' ? [(content.value ?? null) as JsonValue] : [],
  );
  return (values.length > 1 ? values : values[0]) ?? null;
}

/** The SDK does not check the text of an agent of 0.3. */
function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
