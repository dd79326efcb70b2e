const backslash = 0x5c;
const letterU = 0x75;

/** Returned in place of a length: the name is longer than any that is wanted, or has an invalid escape. */
export const tooLong = -1;
export const invalid = -2;

/** What an escape of two characters stands for, by its second one; 0 for none. */
const simpleEscapes = new Uint8Array(256);
for (const [letter, meant] of ['""', '\\\\', '//', 'b\b', 'f\f', 'n\n', 'r\r', 't\t'].map((pair) =>
  Buffer.from(pair),
)) {
  simpleEscapes[letter ?? 0] = meant ?? 0;
}

/**
 * Writes a member name that has escapes as UTF-8, without an exception or an allocation: the names are a stranger's, and
 * there may be many. A lone surrogate becomes three bytes that UTF-8 does not have, and so equals nothing else.
 * @param end the position of the closing quote
 * @returns the length of what was written
 */
export function decodeName(bytes: Uint8Array, start: number, end: number, target: Uint8Array): number {
  let length = 0;
  let index = start;
  while (index < end) {
    if (length >= target.length) return tooLong;
    const byte = bytes[index] ?? 0;
    if (byte !== backslash) {
      target[length] = byte;
      length += 1;
      index += 1;
      continue;
    }
    const letter = bytes[index + 1] ?? 0;
    if (letter === letterU) {
      let code = codeUnit(bytes, index + 2, end);
      if (code < 0) return invalid;
      index += 6;
      if (isHigh(code) && bytes[index] === backslash && bytes[index + 1] === letterU) {
        const low = codeUnit(bytes, index + 2, end);
        if (isLow(low)) {
          code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
          index += 6;
        }
      }
      length = writeCodePoint(code, target, length);
    } else {
      const meant = simpleEscapes[letter] ?? 0;
      if (meant === 0) return invalid;
      target[length] = meant;
      length += 1;
      index += 2;
    }
  }
  return length > target.length ? tooLong : length;
}

/** The bytes that `decodeName` writes for a name. */
export function nameBytes(name: string): Uint8Array {
  const written = Buffer.from(JSON.stringify(name));
  const target = new Uint8Array(written.length);
  return target.slice(0, decodeName(written, 1, written.length - 1, target));
}

/** Four hexadecimal digits; negative for anything else. */
function codeUnit(bytes: Uint8Array, start: number, end: number): number {
  if (start + 4 > end) return -1;
  let code = 0;
  for (let index = start; index < start + 4; index += 1) {
    const digit = hexDigit(bytes[index] ?? 0);
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

function isHigh(code: number): boolean {
  return code >= 0xd800 && code < 0xdc00;
}

function isLow(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000;
}

/** Bytes beyond the end of the target are dropped. */
function writeCodePoint(code: number, target: Uint8Array, at: number): number {
  if (code < 0x80) {
    target[at] = code;
    return at + 1;
  }
  let next = at;
  if (code < 0x800) target[next++] = 0xc0 | (code >> 6);
  else {
    if (code < 0x10000) target[next++] = 0xe0 | (code >> 12);
    else {
      target[next++] = 0xf0 | (code >> 18);
      target[next++] = 0x80 | ((code >> 12) & 0x3f);
    }
    target[next++] = 0x80 | ((code >> 6) & 0x3f);
  }
  target[next++] = 0x80 | (code & 0x3f);
  return next;
}
