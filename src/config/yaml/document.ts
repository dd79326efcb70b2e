import { Composer, type CST, type Document, Parser, YAMLParseError } from 'yaml';
import { guardYaml } from './guard.ts';

/** Composes a document from a text, to find positions in it; undefined if the guard rejects the text. */
export function composeDocument(text: string): Document | undefined {
  const guarded = guardYaml(text);
  return guarded.ok ? composeTokens(guarded.tokens, text.length) : undefined;
}

/** Composes a document from tokens that passed the guard. Its faults are in its `errors` and `warnings`. */
export function composeTokens(tokens: readonly string[], textLength: number): Document {
  // A faulty file can have 50,000 faults, and their stack traces take four fifths of the time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    const [document, second] = new Composer(options).compose(syntaxTree(tokens), true, textLength);
    if (document === undefined) throw new Error('yaml composed no document');
    if (second) document.errors.push(new YAMLParseError([second.range[0], second.range[1]], 'MULTIPLE_DOCS', ''));
    return document;
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const options = {
  version: '1.2',
  schema: 'core',
  merge: false,
  resolveKnownTags: false,
  stringKeys: true,
  // yaml compares each key with all others: half a minute for 50,000 keys.
  uniqueKeys: false,
  strict: true,
  prettyErrors: false,
  logLevel: 'error',
} as const;

function* syntaxTree(tokens: readonly string[]): Generator<CST.Token> {
  const parser = new Parser();
  for (const token of tokens) yield* parser.next(token);
  yield* parser.end();
}
