import type { JsonValue } from '../../contract/index.ts';
import { isMaybeMisread, parseExactly } from '../body/exact-json.ts';

/** Numbers with their source text (https://github.com/tc39/proposal-json-parse-with-source), which TypeScript does not type yet. */
interface LexicalJson {
  parse(
    text: string,
    revive: (name: string, value: unknown, context: { readonly source?: string }) => unknown,
  ): unknown;
  rawJSON(text: string): unknown;
}

const lexical = JSON as unknown as LexicalJson;

/**
 * Parses JSON so that `JSON.stringify` of the result writes numbers with the same digits: for dedup, `1.0` and `1` are
 * different bodies. The numbers of the result can only be written. Throws if the text is not JSON.
 */
export function parseLexically(text: string): JsonValue {
  // A raw number is opaque to code that only copies it. One whose member was misread has no source text.
  const value = lexical.parse(text, (_name, member, { source }) =>
    typeof member === 'number' && source !== undefined ? lexical.rawJSON(source) : member,
  );
  return isMaybeMisread(value, text) ? parseExactly(text, lexical.rawJSON) : (value as JsonValue);
}
