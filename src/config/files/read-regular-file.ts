import fs, { type BigIntStats, constants } from 'node:fs';
import { promisify } from 'node:util';
import { FileTimeoutError, fileGate } from './file-gate.ts';

export type FileReading = ReadFile | FileFault;

export interface ReadFile {
  readonly kind: 'read';
  readonly bytes: Buffer;
  readonly stamp: FileStamp;
}

export interface FileFault {
  readonly kind: 'fault';
  readonly isTooLarge: boolean;
  /** Something is there that is not a regular file, or does not answer. */
  readonly isOtherKind: boolean;
  /** Completes "the file …": `is a FIFO, not a regular file`. */
  readonly reason: string;
}

/** Identifies the content of a file as far as its metadata does. */
export interface FileStamp {
  readonly identity: string;
  /** When its content or metadata last changed, milliseconds since the epoch. */
  readonly changedAt: number;
}

// The callback functions: a FileHandle costs twice as much, and a config has thousands of files.
const system = {
  open: promisify(fs.open),
  close: promisify(fs.close),
  fstat: promisify<number, { bigint: true }, BigIntStats>(fs.fstat),
  stat: promisify<string, { bigint: true }, BigIntStats>(fs.stat),
  read: promisify(fs.read),
};

/**
 * Reads a regular file, or what a link to one leads to. Everything that config names is read by this function, because
 * anything may be at such a path: a FIFO blocks the process that opens it, `/dev/zero` never ends, a network mount may hang. So
 * other kinds of files are not opened, no more than one byte beyond the limit is read, and there is a deadline.
 * @param limitBytes the largest size that is accepted
 */
export async function readRegularFile(path: string, limitBytes: number): Promise<FileReading> {
  try {
    return await fileGate.run(path, async () => wrongKind(await look(path)) ?? (await open(path, limitBytes)));
  } catch (error) {
    return faultOf(error);
  }
}

/** The same, except that a file which still has a known stamp is not opened. */
export async function readIfChanged(
  path: string,
  limitBytes: number,
  known: FileStamp,
): Promise<FileReading | { readonly kind: 'unchanged' }> {
  try {
    return await fileGate.run(path, async () => {
      const found = await look(path);
      if (found.isFile() && stampOf(found).identity === known.identity) return { kind: 'unchanged' };
      return wrongKind(found) ?? (await open(path, limitBytes));
    });
  } catch (error) {
    return faultOf(error);
  }
}

/** What is wrong with a path where a regular file must be; undefined if there is one. It is not opened. */
export async function faultOfFile(path: string): Promise<FileFault | undefined> {
  try {
    return wrongKind(await fileGate.run(path, () => look(path)));
  } catch (error) {
    return faultOf(error);
  }
}

/** Why an operation on a file failed. */
export function faultOf(error: unknown): FileFault {
  if (error instanceof FileTimeoutError) return fault(error.message, true);
  const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
  return fault(`cannot be read${code}`);
}

/** Before opening, which can already have an effect: on a tape, or on the process that writes into a FIFO. */
function look(path: string): Promise<BigIntStats> {
  return system.stat(path, { bigint: true });
}

async function open(path: string, limitBytes: number): Promise<FileReading> {
  // Something else may be there by now. Without O_NONBLOCK, opening a FIFO waits for its writer.
  const descriptor = await system.open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const opened = await system.fstat(descriptor, { bigint: true });
    return wrongKind(opened) ?? (await readOpen(descriptor, opened, limitBytes));
  } finally {
    await system.close(descriptor);
  }
}

async function readOpen(descriptor: number, found: BigIntStats, limitBytes: number): Promise<FileReading> {
  const size = Number(found.size);
  if (size > limitBytes) return tooLarge(limitBytes);
  // The size is a hint: a file may grow while it is read, and those in /proc say 0.
  let buffer = Buffer.allocUnsafe(Math.min(size === 0 ? minimalBufferBytes : size, limitBytes) + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await system.read(descriptor, buffer, length, buffer.length - length, null);
    length += bytesRead;
    if (length > limitBytes) return tooLarge(limitBytes);
    if (bytesRead === 0 || (length === size && length < buffer.length)) break;
    if (length < buffer.length) continue;
    const larger = Buffer.allocUnsafe(Math.min(buffer.length * 2, limitBytes) + 1);
    buffer.copy(larger, 0, 0, length);
    buffer = larger;
  }
  return { kind: 'read', bytes: buffer.subarray(0, length), stamp: stampOf(found) };
}

const minimalBufferBytes = 4096;

function stampOf({ dev, ino, size, mtimeNs, ctimeNs, ctimeMs }: BigIntStats): FileStamp {
  return { identity: `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`, changedAt: Number(ctimeMs) };
}

function tooLarge(limitBytes: number): FileFault {
  return { kind: 'fault', isTooLarge: true, isOtherKind: false, reason: `is larger than ${limitBytes / 1024} KiB` };
}

function wrongKind(found: BigIntStats): FileFault | undefined {
  return found.isFile() ? undefined : fault(`is ${kindOf(found)}, not a regular file`, true);
}

function kindOf(found: BigIntStats): string {
  if (found.isFIFO()) return 'a FIFO';
  if (found.isDirectory()) return 'a directory';
  if (found.isSocket()) return 'a socket';
  return found.isCharacterDevice() || found.isBlockDevice() ? 'a device' : 'something else';
}

function fault(reason: string, isOtherKind = false): FileFault {
  return { kind: 'fault', isTooLarge: false, isOtherKind, reason };
}
