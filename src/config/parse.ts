import { type Document, parseDocument } from 'yaml';
import type { JsonValue } from '../contract/index.ts';
import { decode } from './decode.ts';
import { configLimits } from './limits.ts';
import type { LocalProblem } from './local-problem.ts';
import { guardYaml } from './yaml-guard.ts';
import { toValue } from './yaml-value.ts';

const mostProblems = 20;

export type Parsed =
  | { readonly ok: true; readonly text: string; readonly value: JsonValue }
  /** The offsets of the problems count from the start of the text. */
  | { readonly ok: false; readonly text: string; readonly problems: readonly LocalProblem[] };

/** Parses the bytes of a config file. Never throws, and takes bounded time whatever they are. */
export function parseYaml(bytes: Uint8Array): Parsed {
  if (bytes.byteLength > configLimits.bytesPerFile) return { ok: false, text: '', problems: [tooLarge()] };
  const { text, problem } = decode(bytes);
  const refusal = problem ?? guardYaml(text);
  if (refusal) return { ok: false, text, problems: [refusal] };
  try {
    return parseText(text);
  } catch {
    // Nothing is known to get here; if something does, it is a faulty file and not the end of the gateway.
    return { ok: false, text, problems: [syntax('the file cannot be read as YAML', 0)] };
  }
}

/** Composes a YAML document of a text that `parseYaml` took, to find positions in. */
export function composeDocument(text: string): Document {
  // A faulty file can hold 50,000 faults, and the stack trace of each is four fifths of the time.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return parseDocument(text, parseOptions);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const parseOptions = {
  version: '1.2',
  schema: 'core',
  merge: false,
  resolveKnownTags: false,
  stringKeys: true,
  uniqueKeys: false,
  strict: true,
  prettyErrors: false,
  logLevel: 'error',
} as const;

/** What is wrong with a file that is over the limit of `configLimits.bytesPerFile`. */
export function tooLarge(): LocalProblem {
  const message = `the file is larger than ${configLimits.bytesPerFile / 1024} KiB`;
  return { code: 'file_too_large', message, pointer: '' };
}

function parseText(text: string): Parsed {
  const document = composeDocument(text);
  const faults = [...document.errors, ...document.warnings].slice(0, mostProblems);
  if (faults.length > 0) return { ok: false, text, problems: faults.map(fault) };
  if (document.contents === null || document.contents.range?.[0] === document.contents.range?.[1])
    return { ok: false, text, problems: [empty()] };
  const { value, problems } = toValue(document);
  return problems.length > 0
    ? { ok: false, text, problems: problems.slice(0, mostProblems) }
    : { ok: true, text, value };
}

function fault({ code, message, pos }: { code: string; message: string; pos: [number, number] }): LocalProblem {
  if (code === 'MULTIPLE_DOCS')
    return { ...syntax('a second document', pos[0]), code: 'multiple_documents', hint: 'One document per file.' };
  if (code === 'NON_STRING_KEY') return syntax('a field name must be text', pos[0]);
  // Some of yaml's messages end with the text that is at fault, which may be anything.
  const words = message
    .split('\n')[0]
    ?.replace(/^(Not a YAML token|Invalid escape sequence|Source contains.*?): .*/, '$1');
  return syntax(words ?? code, pos[0]);
}

function syntax(message: string, offset: number): LocalProblem {
  return { code: 'yaml_syntax', message, pointer: '', offset };
}

function empty(): LocalProblem {
  const hint = 'Declare something in it (version, kind …) or delete it.';
  return { code: 'empty_file', message: 'the file is empty', hint, pointer: '' };
}
