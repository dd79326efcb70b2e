import type { LocalProblem } from './local-problem.ts';

const utf8 = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true });

export interface Decoded {
  /** The text, with replacement characters for bytes that are not UTF-8. */
  readonly text: string;
  readonly problem: LocalProblem | undefined;
}

/** Decodes the bytes of a config file: UTF-8 with printable characters only. */
export function decode(bytes: Uint8Array): Decoded {
  const text = utf8.decode(bytes);
  return { text, problem: invalidUtf8(text, bytes) ?? badCharacter(text) };
}

function invalidUtf8(text: string, bytes: Uint8Array): LocalProblem | undefined {
  if (!text.includes('\uFFFD')) return undefined;
  const encoded = Buffer.from(text);
  const first = encoded.findIndex((byte, index) => byte !== bytes[index]);
  if (first === -1 && encoded.length === bytes.length) return undefined;
  const offset = utf8.decode(bytes.subarray(0, first === -1 ? encoded.length : first)).length;
  return {
    code: 'invalid_utf8',
    message: 'the file is not UTF-8',
    hint: 'Save the file as UTF-8.',
    pointer: '',
    offset,
  };
}

/** YAML 1.2 §5.1 excludes these; in a terminal they can hide text. */
function badCharacter(text: string): LocalProblem | undefined {
  const offset = text.search(/[\p{Cc}--[\t\n\r\u0085]]/v);
  if (offset === -1) return undefined;
  const code = text.charCodeAt(offset).toString(16).padStart(4, '0').toUpperCase();
  return { code: 'bad_character', message: `the control character U+${code} is not allowed`, pointer: '', offset };
}
