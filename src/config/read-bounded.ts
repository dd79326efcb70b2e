import { close, constants, open, read } from 'node:fs';
import { promisify } from 'node:util';

// A third of the time of `fs/promises`, whose file handles are objects of their own: a config may be 20,000 files.
const openFile = promisify(open);
const readFrom = promisify(read);
const closeFile = promisify(close);

/**
 * Reads a file of at most so many bytes; undefined if it is larger. `buffer` must hold one byte more than that and be
 * nobody else's meanwhile. Rejects as the operating system says.
 */
export async function readBounded(path: string, limit: number, buffer: Buffer): Promise<Buffer | undefined> {
  // Opening a pipe would otherwise wait for its writer.
  const descriptor = await openFile(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    let length = 0;
    while (length <= limit) {
      const { bytesRead } = await readFrom(descriptor, buffer, length, limit + 1 - length, null);
      if (bytesRead === 0) return Buffer.from(buffer.subarray(0, length));
      length += bytesRead;
    }
    return undefined;
  } finally {
    await closeFile(descriptor);
  }
}
