import type { IncomingMessage } from 'node:http';

export type ReadBody =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly tooLarge: boolean };

/**
 * Reads a request's body up to a limit in bytes. `tooLarge: false` means that the client went away or broke the
 * framing; how long it may take is the server's request timeout. Never rejects.
 */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<ReadBody> {
  return new Promise((resolve) => {
    // It may have ended while it was found out who calls, and then no event comes any more.
    if (request.destroyed) resolve({ ok: false, tooLarge: false });
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      // What comes after is let go by: the answer closes the connection.
      if (length > limitBytes) resolve({ ok: false, tooLarge: true });
      else chunks.push(chunk);
    });
    request.on('end', () => {
      const [first] = chunks;
      resolve({ ok: true, bytes: chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length) });
    });
    // It closes after its end too, when the promise is settled. A broken one emits an error first.
    request.on('close', () => resolve({ ok: false, tooLarge: false }));
    request.on('error', () => resolve({ ok: false, tooLarge: false }));
  });
}
