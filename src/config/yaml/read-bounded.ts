import { closeSync, constants, openSync, readSync } from 'node:fs';

/**
 * Reads a file of at most `limit` bytes; undefined if it is larger. `buffer` must hold one byte more. Throws the errors
 * of the operating system. Blocks: only for small files on a file system that has just responded.
 */
export function readBoundedSync(path: string, limit: number, buffer: Buffer): Buffer | undefined {
  // Opening a pipe would otherwise wait for its writer.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    let length = 0;
    while (length <= limit) {
      const bytesRead = readSync(descriptor, buffer, length, limit + 1 - length, null);
      if (bytesRead === 0) return Buffer.from(buffer.subarray(0, length));
      length += bytesRead;
    }
    return undefined;
  } finally {
    closeSync(descriptor);
  }
}
