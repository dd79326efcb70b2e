/** A value of a row; undefined: lost. */
export type Value = string | number | null | undefined;

const text = new TextDecoder('utf-8', { fatal: true });

/** Reads a variable-length integer: its value, and where it ends. Throws beyond the end of the buffer. */
export function varint(buffer: Buffer, at: number): readonly [value: number, end: number] {
  let value = 0n;
  for (let index = 0; index < 9; index += 1) {
    const byte = buffer.readUInt8(at + index);
    if (index === 8) return [Number(BigInt.asIntN(64, (value << 8n) | BigInt(byte))), at + 9];
    value = (value << 7n) | BigInt(byte & 0x7f);
    if (byte < 0x80) return [Number(value), at + index + 1];
  }
  throw new Error('not reached');
}

/**
 * The values of a record (https://www.sqlite.org/fileformat.html#record_format), of which the end may be missing. Throws if not
 * even its header is readable.
 */
export function recordValues(payload: Buffer): Value[] {
  const [headerEnd, begin] = varint(payload, 0);
  if (headerEnd > payload.length) throw new Error('the header of a record is not whole');
  const types: number[] = [];
  for (let at = begin; at < headerEnd; ) {
    const [type, end] = varint(payload, at);
    types.push(type);
    at = end;
  }
  let at = headerEnd;
  return types.map((type) => {
    const size = sizeOf(type);
    const value = at + size <= payload.length ? readValue(payload, at, type, size) : undefined;
    at += size;
    return value;
  });
}

function sizeOf(type: number): number {
  if (type >= 12) return (type - 12 - (type % 2)) / 2;
  const size = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0][type];
  if (size === undefined) throw new Error('no such type of a value');
  return size;
}

function readValue(payload: Buffer, at: number, type: number, size: number): Value {
  if (type === 0) return null;
  if (type === 8 || type === 9) return type - 8;
  if (type <= 5) return payload.readIntBE(at, size);
  if (type === 6) return Number(payload.readBigInt64BE(at));
  if (type % 2 === 0 || type < 12) return undefined; // A journal has neither fractions nor blobs.
  try {
    return text.decode(payload.subarray(at, at + size));
  } catch {
    return undefined;
  }
}
