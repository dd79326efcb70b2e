import type { JsonValue } from '../../contract/index.ts';

/** Numbers with their source text (https://github.com/tc39/proposal-json-parse-with-source), which TypeScript does not type yet. */
interface LexicalJson {
  parse(text: string, revive: (name: string, value: unknown, context: { readonly source: string }) => unknown): unknown;
  rawJSON(text: string): unknown;
}

const lexical = JSON as unknown as LexicalJson;

/**
 * Parses JSON so that `JSON.stringify` of the result writes numbers with the same digits: for dedup, `1.0` and `1` are
 * different bodies. The numbers of the result can only be written. Throws if the text is not JSON.
 */
export function parseLexically(text: string): JsonValue {
  // A raw number is opaque to code that only copies it.
  return lexical.parse(text, (_name, value, { source }) =>
    typeof value === 'number' ? lexical.rawJSON(source) : value,
  ) as JsonValue;
}
