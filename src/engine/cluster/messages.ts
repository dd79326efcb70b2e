import type { Life } from '../types/index.ts';

/** What nodes say to each other. Members have short names, since a message has at most 7,900 bytes. */
export type Message =
  /** The run is cancelled: the node that executes it aborts it. */
  | { readonly kind: 'cancel'; readonly run: string }
  /** A node follows a run from a position on. Sent again while it does. */
  | { readonly kind: 'follow'; readonly run: string; readonly from: Life; readonly after: readonly [number, number] }
  | { readonly kind: 'unfollow'; readonly run: string; readonly from: Life }
  /** A piece of what a run streams, and who executes it. */
  | {
      readonly kind: 'delta';
      readonly run: string;
      readonly from: Life;
      readonly at: readonly [number, number];
      readonly text: string;
    }
  /** An attempt has left the node that executed it. */
  | { readonly kind: 'over'; readonly run: string; readonly from: Life }
  /** A completion is stored for the run. */
  | { readonly kind: 'completion'; readonly run: string };

/** Nodes of another version may say more: other kinds are ignored. */
export function parseMessage(text: string): Message | undefined {
  try {
    const message: unknown = JSON.parse(text);
    if (typeof message !== 'object' || message === null || !('kind' in message) || !('run' in message))
      return undefined;
    return message as Message;
  } catch {
    return undefined;
  }
}

/** How long the text of one message may be, in bytes of JSON: there has to be room for the rest. */
const maxTextBytes = 7000;

/** A text in pieces that fit a message. Pairs of surrogates stay together. */
export function* piecesOf(text: string): Generator<string> {
  if (Buffer.byteLength(JSON.stringify(text)) <= maxTextBytes) return yield text;
  let start = 0;
  let bytes = 0;
  let index = 0;
  while (index < text.length) {
    const length = (text.codePointAt(index) ?? 0) > 0xffff ? 2 : 1;
    const size = Buffer.byteLength(JSON.stringify(text.slice(index, index + length))) - 2;
    if (bytes + size > maxTextBytes) {
      yield text.slice(start, index);
      start = index;
      bytes = 0;
    }
    bytes += size;
    index += length;
  }
  if (start < text.length) yield text.slice(start);
}
