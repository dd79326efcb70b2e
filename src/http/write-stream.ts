import type { ServerResponse } from 'node:http';
import type { EngineMemory } from '../engine/types/index.ts';

/** How long a client may read nothing before it is disconnected, in milliseconds. */
const patienceMs = 60_000;
/** What an open stream takes, beside a piece that its client has not read yet. */
const streamBytes = 16 * 1024;

/**
 * Writes a stream to its end with backpressure: each piece when the one before has left, so that a slow client costs no
 * memory. Settles too when the client disconnects or is disconnected, and when the response is ended elsewhere. Rejects with what the stream throws.
 */
export async function writeStream(
  response: ServerResponse,
  stream: AsyncIterable<string>,
  memory: EngineMemory,
): Promise<void> {
  const iterator = stream[Symbol.asyncIterator]();
  let leave = (): void => {};
  const onClose = (): void => leave();
  response.on('close', onClose);
  const held = memory.charge('replies', streamBytes);
  try {
    for (;;) {
      // Not a race against one promise of the end: that would keep every piece in memory until the end.
      const next = await new Promise<IteratorResult<string> | undefined>((resolve, reject) => {
        leave = () => resolve(undefined);
        if (isOver(response)) leave();
        else iterator.next().then(resolve, reject);
      });
      if (next === undefined || isOver(response)) return;
      if (next.done) break;
      if (response.write(next.value)) continue;
      held.correct(streamBytes + response.writableLength);
      if (!(await drained(response))) return;
      held.correct(streamBytes);
    }
    response.end();
  } finally {
    response.off('close', onClose);
    held.release();
    // It may first have to wait for its next piece; nothing depends on that.
    iterator.return?.().catch(() => {});
  }
}

function isOver({ destroyed, writableEnded }: ServerResponse): boolean {
  return destroyed || writableEnded;
}

/** Whether the client has read what was written. One that reads nothing for too long is disconnected. */
function drained(response: ServerResponse): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    const settle = (isDrained: boolean): void => {
      clearTimeout(timer);
      response.off('drain', onDrain);
      response.off('close', onClose);
      resolve(isDrained);
    };
    const onDrain = (): void => settle(true);
    const onClose = (): void => settle(false);
    const timer = setTimeout(() => response.destroy(), patienceMs);
    response.on('drain', onDrain);
    response.on('close', onClose);
  });
}
