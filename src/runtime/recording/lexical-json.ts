import type { JsonValue } from '../../contract/index.ts';

/** Numbers as they were written (https://github.com/tc39/proposal-json-parse-with-source), of which TypeScript has no types yet. */
interface LexicalJson {
  parse(text: string, revive: (name: string, value: unknown, context: { readonly source: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
}

const lexical = JSON as unknown as LexicalJson;

/**
 * Parses JSON so that `JSON.stringify` of the result has the very digits of its numbers again: `1.0` and `1` are two
 * bodies to dedup. Its numbers are for writing only. Throws if the text is not JSON.
 */
export function parseLexically(text: string): JsonValue {
  // What stands for a number is opaque to those that only copy it.
  return lexical.parse(text, (_name, value, { source }) =>
    typeof value === 'number' ? lexical.rawJSON(source) : value,
  ) as JsonValue;
}
