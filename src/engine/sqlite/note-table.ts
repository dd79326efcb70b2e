import type { DatabaseSync } from 'node:sqlite';
import type { Note } from '../types/index.ts';
import { type Row, Statements } from './statements.ts';

/** The notes of a journal. */
export class NoteTable {
  readonly #sql: Statements;

  constructor(database: DatabaseSync) {
    this.#sql = new Statements(database);
  }

  read(prefix: string): readonly Note[] {
    const rows = this.#sql.all('SELECT key, text, version FROM notes WHERE substr(key, 1, ?) = ? ORDER BY key', [
      prefix.length,
      prefix,
    ]);
    return rows.map(noteOf);
  }

  write(key: string, text: string | undefined, version: number): boolean {
    if (text === undefined) {
      if (version === 0) return this.#sql.get('SELECT 1 FROM notes WHERE key = ?', [key]) === undefined;
      return this.#sql.run('DELETE FROM notes WHERE key = ? AND version = ?', [key, version]) > 0;
    }
    if (version === 0) return this.#sql.run('INSERT OR IGNORE INTO notes VALUES (?, ?, 1)', [key, text]) > 0;
    const sql = 'UPDATE notes SET text = ?, version = version + 1 WHERE key = ? AND version = ?';
    return this.#sql.run(sql, [text, key, version]) > 0;
  }
}

export function noteOf({ key, text, version }: Row): Note {
  return { key: String(key), text: String(text), version: Number(version) };
}
