import type { IncomingMessage } from 'node:http';

export type ReadBody =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly tooLarge: boolean };

/**
 * Reads a request's body up to a limit in bytes. `tooLarge: false` means that the client went away or broke the
 * framing; how long it may take is the server's request timeout.
 */
export function readBody(request: IncomingMessage, limitBytes: number, done: (body: ReadBody) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  request.on('data', onData).on('end', onEnd).on('error', onBroken).on('aborted', onBroken);

  function onData(chunk: Buffer): void {
    length += chunk.length;
    if (length > limitBytes) finish({ ok: false, tooLarge: true });
    else chunks.push(chunk);
  }
  function onEnd(): void {
    const [first] = chunks;
    finish({ ok: true, bytes: chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length) });
  }
  function onBroken(): void {
    finish({ ok: false, tooLarge: false });
  }
  function finish(body: ReadBody): void {
    request.off('data', onData).off('end', onEnd).off('error', onBroken).off('aborted', onBroken);
    // What still comes of a broken request must not become an uncaught error.
    request.on('error', () => {});
    done(body);
  }
}
