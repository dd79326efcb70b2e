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

const kinds = ['cancel', 'follow', 'unfollow', 'delta', 'over', 'completion'];

/** Undefined: a message of a later version, or of another program. */
export function parseMessage(text: string): Message | undefined {
  try {
    const message = JSON.parse(text);
    const { kind, run, from, at, after, text: piece } = message;
    if (!kinds.includes(kind) || typeof run !== 'string') return undefined;
    if (kind !== 'cancel' && kind !== 'completion' && typeof from !== 'string') return undefined;
    if (kind === 'follow' && !isPosition(after)) return undefined;
    if (kind === 'delta' && !(isPosition(at) && typeof piece === 'string')) return undefined;
    return message;
  } catch {
    return undefined;
  }
}

function isPosition(value: unknown): boolean {
  return Array.isArray(value) && value.length === 2 && value.every(Number.isSafeInteger);
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
