import type { IncomingMessage } from 'node:http';

export type ReadBody =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly tooLarge: boolean };

/**
 * Reads the body of a request up to a limit in bytes. `tooLarge: false` means that the client disconnected or sent invalid
 * framing. The server's request timeout bounds the time. Never rejects.
 */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<ReadBody> {
  return new Promise((resolve) => {
    // It may have been destroyed during authentication; then no event follows.
    if (request.destroyed) resolve({ ok: false, tooLarge: false });
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      // The rest is discarded: the reply closes the connection.
      if (length > limitBytes) resolve({ ok: false, tooLarge: true });
      else chunks.push(chunk);
    });
    request.on('end', () => {
      const [first] = chunks;
      resolve({ ok: true, bytes: chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length) });
    });
    // `close` also follows `end`, when the promise is already settled. A broken request emits an error first.
    request.on('close', () => resolve({ ok: false, tooLarge: false }));
    request.on('error', () => resolve({ ok: false, tooLarge: false }));
  });
}
