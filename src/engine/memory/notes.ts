import type { Note, Notes } from '../types/index.ts';

/** Notes that a restart forgets. */
export class MemoryNotes implements Notes {
  readonly #notes = new Map<string, Note>();

  read(prefix: string): readonly Note[] {
    return [...this.#notes.values()].filter(({ key }) => key.startsWith(prefix));
  }

  write(key: string, text: string | undefined, version: number): boolean {
    if ((this.#notes.get(key)?.version ?? 0) !== version) return false;
    if (text === undefined) this.#notes.delete(key);
    else this.#notes.set(key, { key, text, version: version + 1 });
    return true;
  }
}
