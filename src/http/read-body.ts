import type { IncomingMessage } from 'node:http';
import { requestOverhead } from '../config/least-memory.ts';
import type { Reservation } from '../engine/types/index.ts';
import type { RefusedVerdict } from '../runtime/verdict.ts';

/** Why a body was not read: `broken_off` means that the client disconnected or sent invalid framing. */
export type UnreadReason = 'too_large' | 'broken_off' | 'no_memory';

/** Why a body that was read cannot be used now. */
export type LaterReason = 'no_memory' | 'busy';

export type ReadBody =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly why: UnreadReason };

const refusals: Record<UnreadReason | LaterReason, RefusedVerdict> = {
  too_large: { kind: 'refused', code: 'body_too_large', reason: '' },
  broken_off: { kind: 'refused', code: 'bad_request', reason: '' },
  no_memory: noRoom('server.memory is used up'),
  busy: noRoom('too many encoded bodies wait to be decoded'),
};

function noRoom(reason: string): RefusedVerdict {
  const verdict = { kind: 'unavailable', reason, isOfGateway: true } as const;
  return { kind: 'refused', code: 'unavailable', reason, verdict };
}

/** Why a body is not read or not used, for the log. */
export function reasonOfUnread(why: UnreadReason | LaterReason): string {
  return unreadWords[why] ?? refusals[why].reason;
}

const unreadWords: Partial<Record<UnreadReason | LaterReason, string>> = {
  too_large: 'the body is above its limit',
  broken_off: 'the body broke off, or its framing is invalid',
};

/** How a request is refused whose body was not read, or cannot be used now. */
export function refusalOf(why: UnreadReason | LaterReason): RefusedVerdict {
  return refusals[why];
}

/**
 * Reads the body of a request up to a limit in bytes. A body without a declared length takes memory as it arrives. The
 * server's request timeout bounds the time. Never rejects.
 * @param memory with room for the declared length
 */
export function readBody(
  request: IncomingMessage,
  limitBytes: number,
  memory: Pick<Reservation, 'bytes' | 'resize'>,
): Promise<ReadBody> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let isOver = false;
    const giveUp = (why: UnreadReason): void => {
      if (isOver) return;
      isOver = true;
      chunks.length = 0;
      resolve({ ok: false, why });
    };
    // It may have been destroyed during authentication; then no event follows.
    if (request.destroyed) giveUp('broken_off');
    request.on('data', (chunk: Buffer) => {
      // The rest is discarded: the reply closes the connection.
      if (isOver) return;
      length += chunk.length;
      const needed = length + requestOverhead;
      if (length > limitBytes) giveUp('too_large');
      else if (needed > memory.bytes && !memory.resize(needed)) giveUp('no_memory');
      else chunks.push(chunk);
    });
    request.on('end', () => {
      if (isOver) return;
      const [first] = chunks;
      resolve({ ok: true, bytes: chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length) });
      isOver = true;
    });
    // `close` also follows `end`, when the promise is already settled. A broken request emits an error first.
    request.on('close', () => giveUp('broken_off'));
    request.on('error', () => giveUp('broken_off'));
  });
}
