import type { JsonValue } from '../../../src/contract/index.ts';
import { textAt } from './member.ts';

export interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

interface HistoryBounds {
  readonly turns: number;
  readonly characters: number;
}

/** As JSON, in UTF-16 units: below the 1 MiB that a session can remember. */
const mostAsJson = 1_000_000;

/** The transcript that a session remembers. Anything else, e.g. the memory of another plugin, counts as empty. */
export function transcriptOf(memory: JsonValue | undefined): readonly Message[] {
  if (!Array.isArray(memory)) return [];
  const messages = memory.flatMap((item): Message[] => {
    const role = textAt(item, 'role');
    const content = textAt(item, 'content');
    return role === 'user' || role === 'assistant' ? [{ role, content }] : [];
  });
  return messages.length === memory.length ? messages : [];
}

/** The latest turns within the bounds, each whole: a turn is a message of the user with the answer to it. */
export function latestTurns(messages: readonly Message[], bounds: HistoryBounds): readonly Message[] {
  let start = messages.length;
  let turns = 0;
  let characters = 0;
  let asJson = 2;
  for (let index = messages.length - 1; index >= 0 && turns < bounds.turns; index -= 1) {
    const message = messages[index];
    if (message === undefined) break;
    characters += message.content.length;
    asJson += JSON.stringify(message).length + 1;
    if (characters > bounds.characters || asJson > mostAsJson) break;
    if (message.role !== 'user') continue;
    start = index;
    turns += 1;
  }
  return messages.slice(start);
}
