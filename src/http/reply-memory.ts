import type { ServerResponse } from 'node:http';
import type { EngineMemory } from '../engine/types/index.ts';

/** Accounts for what a client has not read yet of a reply that is written completely. Most replies leave at once. */
export function holdUnread(memory: EngineMemory, response: ServerResponse): void {
  const bytes = response.writableLength;
  if (bytes === 0 || response.closed) return;
  const held = memory.charge('replies', bytes);
  response.once('close', () => held.release());
}
