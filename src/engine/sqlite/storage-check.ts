import type { DatabaseSync } from 'node:sqlite';
import { freePages } from './free-pages.ts';
import { Statements } from './statements.ts';

/** What a small run with its indexes takes, with some to spare: below that, hardly anything can be accepted. */
const pagesOfRun = 16;

/** Finds out whether anything can be stored. */
export class StorageCheck {
  readonly #sql: Statements;

  constructor(database: DatabaseSync) {
    this.#sql = new Statements(database);
  }

  /** Writes, so that a disk that is full or read-only shows. Returns whether the maximum size leaves room for a run. */
  check(now: number): boolean {
    this.#sql.run("INSERT OR REPLACE INTO meta VALUES ('checked', ?)", [String(now)]);
    return freePages(this.#sql).free >= pagesOfRun;
  }
}
