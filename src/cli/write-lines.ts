import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AccessError } from './access-error.ts';

/**
 * Writes lines that arrive in pieces to a file, or to stdout. A file is readable by its owner alone, like the journal.
 * @param out undefined: stdout
 * @returns how many lines there were; undefined if the reader of stdout, `head` for example, has closed the pipe
 */
export async function writeLines(lines: AsyncIterable<string>, out: string | undefined): Promise<number | undefined> {
  let count = 0;
  let isWhole = true;
  const counted = async function* (): AsyncIterable<string> {
    for await (const piece of received(lines)) {
      count += piece.split('\n').length - 1;
      isWhole = piece.endsWith('\n');
      yield piece;
    }
    if (!isWhole) count += 1;
  };
  const target = out === undefined ? process.stdout : createWriteStream(out, { mode: 0o600 });
  try {
    await pipeline(Readable.from(counted()), target, { end: out !== undefined });
    return count;
  } catch (error) {
    if (error instanceof AccessError) throw error;
    if (out === undefined && Object(error).code === 'EPIPE') return undefined;
    if (out === undefined) throw error;
    throw new AccessError(`cannot write ${out}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** A failure of the source must not be reported as one of the destination. */
async function* received(lines: AsyncIterable<string>): AsyncIterable<string> {
  try {
    yield* lines;
  } catch (error) {
    throw new AccessError(`the export broke off: ${error instanceof Error ? error.message : String(error)}`);
  }
}
