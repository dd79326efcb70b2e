import type { Note, Notes } from '../types/index.ts';
import type { JournalClient } from './journal-client.ts';

/** The notes of a journal, asked for over its thread. */
export class JournalNotes implements Notes {
  readonly #client: JournalClient;

  constructor(client: JournalClient) {
    this.#client = client;
  }

  async read(prefix: string): Promise<readonly Note[]> {
    return this.#client.ask('notes', 'read', prefix);
  }

  async write(key: string, text: string | undefined, version: number): Promise<boolean> {
    return this.#client.ask('notes', 'write', key, text, version);
  }
}
