import type { JsonValue } from '../../../src/contract/index.ts';
import { memberOf, textAt } from './member.ts';

/** What the content of a message says. */
export interface Content {
  readonly text: string;
  /** Whether any part of the text is marked as a refusal. */
  readonly isRefusal: boolean;
  /** Whether it holds anything but text and thoughts, e.g. an image, or a part of a shape that is unknown here. */
  readonly isForeign: boolean;
}

/** Parts of these types are not meant for the caller: what a model thinks before it answers. */
const thoughts = new Set(['thinking', 'redacted_thinking', 'reasoning', 'reasoning_content']);

const nothing: Content = { text: '', isRefusal: false, isForeign: false };

/** Reads content: a text, or a list of parts, in whose shapes endpoints differ. */
export function contentOf(content: JsonValue | undefined): Content {
  if (content === undefined || content === null) return nothing;
  const parts = (Array.isArray(content) ? content : [content]).map(partOf);
  return {
    text: parts.map(({ text }) => text).join(''),
    isRefusal: parts.some(({ isRefusal }) => isRefusal),
    isForeign: parts.some(({ isForeign }) => isForeign),
  };
}

function partOf(part: JsonValue): Content {
  if (typeof part === 'string') return { ...nothing, text: part };
  const type = textAt(part, 'type');
  if (thoughts.has(type)) return nothing;
  if (type === 'refusal') return { ...nothing, text: textAt(part, 'refusal'), isRefusal: true };
  // `{ value }` is the text of messages that an endpoint has annotated.
  const text = textAt(part, 'text') || textAt(part, 'text', 'value');
  // The first part of a stream often has no text yet.
  return { ...nothing, text, isForeign: text === '' && memberOf(part, 'text') !== '' };
}
